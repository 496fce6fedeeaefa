import type { FileSource, WideLayout } from '../contracts/run-spec.ts';
import { BinTimeline } from './bin-timeline.ts';
import type { CsvRecord } from './csv-parser.ts';
import { columnOf, columnsText, countsOf, inColumn } from './layout-reader.ts';
import type { LayoutReader, RequestCounts } from './layout-reader.ts';
import { quoted, traceError } from './trace-error.ts';
import type { FileLabel } from './trace-error.ts';
import { parseCount } from './trace-values.ts';

/** One row a series, one column a bin. */
export class WideReader implements LayoutReader {
  readonly #source: FileSource;
  readonly #layout: WideLayout;
  readonly #file: FileLabel;
  readonly #binSeconds: number;
  readonly #wanted: ReadonlySet<string> | null;
  readonly #seen = new Set<string>();
  #idColumn = 0;
  #bins: { readonly column: number; readonly name: string; readonly number: number }[] = [];
  #sums = new Float64Array(0);
  #summedDuplicates = 0;

  constructor(source: FileSource, layout: WideLayout, binSeconds: number, file: FileLabel) {
    this.#source = source;
    this.#layout = layout;
    this.#file = file;
    this.#binSeconds = binSeconds;
    this.#wanted = layout.ids === null ? null : new Set(layout.ids);
  }

  readHeader(header: CsvRecord): void {
    const { columnPrefix, idColumn } = this.#layout;
    this.#idColumn = columnOf(header, idColumn, this.#file);
    this.#bins = header.fields
      .map((name, column) => ({ name, column, number: binNumber(name, columnPrefix) }))
      .filter(({ number, column }) => number >= 0 && column !== this.#idColumn)
      .sort((a, b) => a.number - b.number);
    const twice = this.#bins.find((bin, i) => i > 0 && bin.number === this.#bins[i - 1].number);
    if (twice) throw traceError(this.#file, header.line, `column ${quoted(twice.name)} occurs twice`);
    if (this.#bins.length === 0)
      throw traceError(
        this.#file,
        header.line,
        `no column is ${quoted(columnPrefix)} and a number; ${columnsText(header)}`,
      );
    this.#sums = new Float64Array(this.#bins.length);
  }

  readRow({ line, fields }: CsvRecord): boolean {
    const id = fields[this.#idColumn];
    if (this.#wanted && !this.#wanted.has(id)) return true;
    if (this.#seen.has(id)) this.#noteDuplicate(id, line);
    this.#seen.add(id);
    this.#bins.forEach(({ column, name }, i) => {
      this.#sums[i] += inColumn(this.#file, line, name, () => parseCount(fields[column], this.#source.unit));
    });
    return true;
  }

  finish(): RequestCounts {
    const missing = [...(this.#wanted ?? [])].filter((id) => !this.#seen.has(id));
    const { idColumn } = this.#layout;
    if (missing.length > 0)
      throw traceError(
        this.#file,
        null,
        `has no row whose ${idColumn} is ${missing.slice(0, 3).map(quoted).join(', ')}`,
      );
    if (this.#seen.size === 0) throw traceError(this.#file, null, 'has a header but no rows');
    const nameOf = (index: number): string => `column ${this.#layout.columnPrefix}${this.#bins[0].number + index}`;
    const timeline = new BinTimeline(this.#source, this.#binSeconds, this.#file, nameOf);
    this.#bins.forEach(({ number }, i) => timeline.add(number - this.#bins[0].number, this.#sums[i], 1));
    const { counts, repairs } = countsOf(timeline, this.#source);
    return { counts, repairs: { ...repairs, summedDuplicates: this.#summedDuplicates } };
  }

  #noteDuplicate(id: string, line: number): void {
    if (this.#source.onDuplicate === 'error')
      throw traceError(this.#file, line, `${quoted(id)} occurs again; expected one row an id, or onDuplicate: sum`);
    this.#summedDuplicates++;
  }
}

/** The number behind the prefix, or −1 when the column is no bin. */
function binNumber(name: string, prefix: string): number {
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^\d{1,9}$/.test(digits) ? Number(digits) : -1;
}
