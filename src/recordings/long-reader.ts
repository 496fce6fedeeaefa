import type { FileSource, LongLayout } from '../contracts/run-spec.ts';
import { BinTimeline } from './bin-timeline.ts';
import type { CsvRecord } from './csv-parser.ts';
import { columnOf, countsOf, inColumn } from './layout-reader.ts';
import type { LayoutReader, RequestCounts } from './layout-reader.ts';
import { RowSpacing } from './row-spacing.ts';
import { traceError } from './trace-error.ts';
import type { FileLabel } from './trace-error.ts';
import { parseCount, parseTime, timeFormOf, timeText } from './trace-values.ts';
import type { TimeForm } from './trace-values.ts';

/** One row a bin. The first row's time is where bin 0 begins. */
export class LongReader implements LayoutReader {
  readonly #source: FileSource;
  readonly #layout: LongLayout;
  readonly #file: FileLabel;
  readonly #timeline: BinTimeline;
  readonly #spacing: RowSpacing;
  #timeColumn = 0;
  #countColumn = 0;
  #first: { readonly time: number; readonly form: TimeForm } | null = null;

  constructor(source: FileSource, layout: LongLayout, binSeconds: number, file: FileLabel) {
    this.#source = source;
    this.#layout = layout;
    this.#file = file;
    const nameOf = (index: number): string => timeText(this.#first!.time + index * this.#binMs);
    this.#timeline = new BinTimeline(source, binSeconds, file, nameOf);
    this.#spacing = new RowSpacing(source.fileBinSeconds, file);
  }

  get #binMs(): number {
    return this.#source.fileBinSeconds * 1000;
  }

  readHeader(header: CsvRecord): void {
    this.#timeColumn = columnOf(header, this.#layout.timeColumn, this.#file);
    this.#countColumn = columnOf(header, this.#layout.countColumn, this.#file);
  }

  readRow({ line, fields }: CsvRecord): boolean {
    const text = fields[this.#timeColumn];
    const time = inColumn(this.#file, line, this.#layout.timeColumn, () => {
      this.#first ??= firstTime(text);
      return parseTime(text, this.#first.form);
    });
    const index = (time - this.#first!.time) / this.#binMs;
    this.#spacing.add(time, line);
    const value = inColumn(this.#file, line, this.#layout.countColumn, () =>
      parseCount(fields[this.#countColumn], this.#source.unit),
    );
    this.#timeline.add(index, value, line);
    return !this.#timeline.isFull;
  }

  finish(): RequestCounts {
    if (!this.#first) throw traceError(this.#file, null, 'has a header but no rows');
    if (!this.#timeline.isFull) this.#spacing.finish();
    return countsOf(this.#timeline, this.#source);
  }
}

function firstTime(text: string): { time: number; form: TimeForm } {
  const form = timeFormOf(text);
  return { form, time: parseTime(text, form) };
}
