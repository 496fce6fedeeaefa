import type { FileSource } from '../contracts/run-spec.ts';
import type { RecordingRepairs } from '../contracts/stores.ts';
import type { BinTimeline } from './bin-timeline.ts';
import type { CsvRecord } from './csv-parser.ts';
import { quoted, traceError } from './trace-error.ts';
import type { FileLabel } from './trace-error.ts';
import { FieldProblem } from './trace-values.ts';

/** What a request-rate file holds. */
export interface RequestCounts {
  /** Requests in each bin, times `rateScale`; bins of the file, or of the recording where those are wider. */
  readonly counts: Float64Array;
  readonly repairs: RecordingRepairs;
}

/** Reads the rows of one layout. Its methods throw CoxswainError TRACE_UNREADABLE. */
export interface LayoutReader {
  readHeader(header: CsvRecord): void;
  /** False once no further row is needed. */
  readRow(row: CsvRecord): boolean;
  finish(): RequestCounts;
}

/** What came out of a timeline, in the scale that the spec asks for. */
export function countsOf(timeline: BinTimeline, { unit, fileBinSeconds, rateScale }: FileSource): RequestCounts {
  const factor = rateScale * (unit === 'requests-per-second' ? fileBinSeconds : 1);
  const counts = timeline.finish().map((value) => value * factor);
  return { counts, repairs: timeline.repairs };
}

/** The one column with this name. */
export function columnOf(header: CsvRecord, name: string, file: FileLabel): number {
  const column = header.fields.indexOf(name);
  if (column < 0) throw traceError(file, header.line, `no column ${quoted(name)}; ${columnsText(header)}`);
  if (header.fields.indexOf(name, column + 1) >= 0)
    throw traceError(file, header.line, `column ${quoted(name)} occurs twice`);
  return column;
}

/** The columns that there are, as the end of a message. */
export function columnsText({ fields }: CsvRecord): string {
  const more = fields.length > 8 ? ` and ${fields.length - 8} more` : '';
  const hint = fields.length === 1 && /[;\t|]/.test(fields[0]) ? '; columns must be separated by commas' : '';
  return `found ${fields.slice(0, 8).map(quoted).join(', ')}${more}${hint}`;
}

/** Lets a problem with a field name its file, line and column. */
export function inColumn<T>(file: FileLabel, line: number, column: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FieldProblem) throw traceError(file, line, `${column}: ${error.message}`);
    throw error;
  }
}
