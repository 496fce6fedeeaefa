import { traceError } from './trace-error.ts';
import type { FileLabel } from './trace-error.ts';
import { timeText } from './trace-values.ts';

/** Rows after which a width that never occurred counts as wrong. */
const rowsToJudge = 16;

/**
 * Finds a `fileBinSeconds` that is not the file's: rows off the grid that it spans from the first row, or rows that are
 * all further apart. Interpolation would otherwise invent most of the recording without a word.
 */
export class RowSpacing {
  readonly #binMs: number;
  readonly #file: FileLabel;
  #first: number | null = null;
  #last = 0;
  #steps = 0;
  #narrowest = Infinity;
  #narrowestLine = 0;

  constructor(fileBinSeconds: number, file: FileLabel) {
    this.#binMs = fileBinSeconds * 1000;
    this.#file = file;
  }

  /** @param time milliseconds. @throws CoxswainError TRACE_UNREADABLE. */
  add(time: number, line: number): void {
    this.#first ??= time;
    if ((time - this.#first) % this.#binMs !== 0) throw this.#offGrid(time, line);
    const step = time - this.#last;
    this.#last = time;
    if (time === this.#first || step <= 0 || this.#steps >= rowsToJudge) return;
    if (step < this.#narrowest) [this.#narrowest, this.#narrowestLine] = [step, line];
    if (++this.#steps === rowsToJudge) this.#judge();
  }

  /** Judges a file that ended early; two steps are needed to tell a width from a gap. */
  finish(): void {
    if (this.#steps > 1 && this.#steps < rowsToJudge) this.#judge();
  }

  #judge(): void {
    if (this.#narrowest <= this.#binMs) return;
    const found = `rows are ${this.#narrowest / 1000} s apart or more`;
    throw traceError(this.#file, this.#narrowestLine, `${found}, but fileBinSeconds is ${this.#binMs / 1000}`);
  }

  #offGrid(time: number, line: number) {
    const width = this.#binMs / 1000;
    const past = `${(time - this.#first!) / 1000} s after the first row`;
    const problem = `${timeText(time)} is ${past}, no multiple of the ${width} s of fileBinSeconds`;
    return traceError(this.#file, line, problem);
  }
}
