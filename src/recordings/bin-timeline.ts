import type { FileSource } from '../contracts/run-spec.ts';
import type { RecordingRepairs } from '../contracts/stores.ts';
import { maxRecordingBins } from './recording.ts';
import { traceError } from './trace-error.ts';
import type { FileLabel } from './trace-error.ts';

/** A bin of the file as it was read. */
interface FileBin {
  readonly index: number;
  value: number;
}

/** Names a bin of the file in messages, for example by its time. */
export type BinName = (index: number) => string;

/**
 * Puts the bins of a file in line: adds up bins that occur twice, fills gaps, leaves out `skipBins`, stops after
 * `takeBins`, and adds bins up to those of the recording where the file's are narrower.
 *
 * 1. Bins come in the order of their index, beginning with 0.
 * 2. A missing bin lies on the straight line between its neighbours, whose values are complete by then.
 * 3. Gaps and duplicates count, and are errors, only among the bins that are taken.
 * 4. Narrow bins at the end that do not fill a bin of the recording are left out.
 */
export class BinTimeline {
  readonly #source: FileSource;
  readonly #file: FileLabel;
  readonly #nameOf: BinName;
  readonly #perBin: number;
  readonly #end: number;
  #values = new Float64Array(1024);
  #taken = 0;
  #interpolatedBins = 0;
  #summedDuplicates = 0;
  #before: FileBin | null = null;
  #current: FileBin | null = null;

  constructor(source: FileSource, binSeconds: number, file: FileLabel, nameOf: BinName) {
    this.#source = source;
    this.#file = file;
    this.#nameOf = nameOf;
    this.#perBin = Math.max(1, binSeconds / source.fileBinSeconds);
    this.#end = source.takeBins === null ? Infinity : source.skipBins + source.takeBins;
  }

  /** True once every bin to take is there, so that the rest of the file need not be read. */
  get isFull(): boolean {
    return this.#before !== null && this.#before.index >= this.#end - 1;
  }

  get repairs(): RecordingRepairs {
    return { interpolatedBins: this.#interpolatedBins, summedDuplicates: this.#summedDuplicates };
  }

  /**
   * Adds a row. @param line where it stands in the file.
   * @throws CoxswainError TRACE_UNREADABLE for an index below the last, and for gaps and duplicates that the spec forbids.
   */
  add(index: number, value: number, line: number): void {
    const current = this.#current;
    if (current && index < current.index)
      throw this.#error(
        line,
        `${this.#nameOf(index)} comes after ${this.#nameOf(current.index)}; expected rows in the order of time`,
      );
    if (current && index === current.index) return this.#addDuplicate(current, value, line);
    this.#complete();
    if (this.isFull) return;
    this.#assertGapAllowed(index, line);
    this.#current = { index, value };
  }

  /**
   * The sums of the taken bins, one for each bin of the recording or of the file, whichever is wider.
   * @throws CoxswainError TRACE_UNREADABLE when the file ends before `skipBins` and `takeBins` are satisfied.
   */
  finish(): Float64Array {
    this.#complete();
    const { skipBins, takeBins } = this.#source;
    const bins = (this.#before?.index ?? -1) + 1;
    const wanted = skipBins + (takeBins ?? 1);
    if (bins < wanted)
      throw this.#error(null, `has ${bins} bins; skipBins ${skipBins} and takeBins ${takeBins} need ${wanted}`);
    return this.#values.subarray(0, Math.floor(this.#taken / this.#perBin));
  }

  #addDuplicate(current: FileBin, value: number, line: number): void {
    current.value += value;
    if (!this.#isTaken(current.index)) return;
    if (this.#source.onDuplicate === 'error')
      throw this.#error(
        line,
        `${this.#nameOf(current.index)} occurs again; expected one row a bin, or onDuplicate: sum`,
      );
    this.#summedDuplicates++;
  }

  /** Takes the current bin, now that no further row can belong to it, after the bins that are missing before it. */
  #complete(): void {
    const [before, current] = [this.#before, this.#current];
    if (!current || current === before) return;
    const from = Math.max((before?.index ?? current.index) + 1, this.#source.skipBins);
    for (let index = from; index < Math.min(current.index, this.#end); index++) {
      const share = (index - before!.index) / (current.index - before!.index);
      this.#take(before!.value + share * (current.value - before!.value));
      this.#interpolatedBins++;
    }
    if (this.#isTaken(current.index)) this.#take(current.value);
    this.#before = current;
  }

  #assertGapAllowed(index: number, line: number): void {
    const missing = this.#before ? index - this.#before.index - 1 : 0;
    if (missing === 0 || index <= this.#source.skipBins) return;
    const { onGap, maxGapBins, fileBinSeconds } = this.#source;
    const gap = `${missing} ${missing === 1 ? 'bin' : 'bins'} of ${fileBinSeconds} s missing before ${this.#nameOf(index)}`;
    if (onGap === 'error') throw this.#error(line, `${gap}; set onGap: interpolate, or correct fileBinSeconds`);
    if (missing > maxGapBins) throw this.#error(line, `${gap}; maxGapBins allows ${maxGapBins}`);
  }

  #take(value: number): void {
    const bin = Math.floor(this.#taken / this.#perBin);
    if (bin >= maxRecordingBins) throw this.#error(null, `more than ${maxRecordingBins} bins; set takeBins`);
    if (bin >= this.#values.length) this.#grow();
    this.#values[bin] += value;
    this.#taken++;
  }

  #grow(): void {
    const grown = new Float64Array(this.#values.length * 2);
    grown.set(this.#values);
    this.#values = grown;
  }

  #isTaken(index: number): boolean {
    return index >= this.#source.skipBins && index < this.#end;
  }

  #error(line: number | null, problem: string) {
    return traceError(this.#file, line, problem);
  }
}
