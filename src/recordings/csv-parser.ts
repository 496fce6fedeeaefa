import { quoted, traceError } from './trace-error.ts';
import type { FileLabel } from './trace-error.ts';

/** One record with the number of the line that it begins on; the first line is 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/** Longest record, characters. */
export const maxRecordLength = 4 * 1024 * 1024;

/**
 * Reads CSV after RFC 4180: commas, fields in double quotes where they hold commas, quotes (doubled) or line breaks;
 * line breaks are \n or \r\n. Empty lines are allowed at the end only. Takes the text in pieces of whole lines.
 *
 * Each method throws CoxswainError TRACE_UNREADABLE with the line for what breaks these rules.
 */
export class CsvParser {
  readonly #file: FileLabel;
  #line = 0;
  /** A record whose quotes are still open: its text so far, and the line that it begins on. */
  #open: { readonly line: number; readonly pieces: string[]; length: number } | null = null;
  #emptyLine: number | null = null;

  constructor(file: FileLabel) {
    this.#file = file;
  }

  /** Number of the line read last. */
  get line(): number {
    return this.#line;
  }

  /** The records that end in `lines`, which are given without their \n. */
  read(lines: readonly string[]): CsvRecord[] {
    const records: CsvRecord[] = [];
    for (const line of lines) {
      const record = this.#readLine(line);
      if (record) records.push(record);
    }
    return records;
  }

  /** To be called after the last line. */
  end(): void {
    if (this.#open) throw traceError(this.#file, this.#open.line, 'a quote is opened here and never closed');
  }

  #readLine(text: string): CsvRecord | null {
    this.#line++;
    const isPlain = !this.#open && !text.includes('"');
    if (!isPlain) return this.#readQuoted(text);
    const plain = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (plain === '') {
      this.#emptyLine ??= this.#line;
      return null;
    }
    if (plain.includes('\r')) throw traceError(this.#file, this.#line, 'a lone \\r; lines must end with \\n or \\r\\n');
    return this.#record(this.#line, plain, (record) => record.split(','));
  }

  #readQuoted(text: string): CsvRecord | null {
    const open = this.#open ?? { line: this.#line, pieces: [], length: 0 };
    open.pieces.push(text);
    open.length += text.length + 1;
    if (open.length > maxRecordLength)
      throw traceError(this.#file, open.line, `a record above ${maxRecordLength} characters`);
    // A record is whole once its quotes pair up: RFC 4180 doubles every quote inside of a field.
    const closes = (text.split('"').length - 1) % 2 === (this.#open ? 1 : 0);
    this.#open = closes ? null : open;
    if (!closes) return null;
    const record = open.pieces.join('\n');
    const unbroken = record.endsWith('\r') ? record.slice(0, -1) : record;
    return this.#record(open.line, unbroken, (whole) => this.#splitQuoted(whole, open.line));
  }

  #record(line: number, text: string, split: (text: string) => string[]): CsvRecord {
    if (this.#emptyLine !== null) throw traceError(this.#file, this.#emptyLine, 'an empty line among the records');
    if (text.includes('\0')) throw traceError(this.#file, line, 'a NUL character; expected CSV text in UTF-8');
    return { line, fields: split(text) };
  }

  #splitQuoted(record: string, line: number): string[] {
    const fields: string[] = [];
    const field = /(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)/gy;
    for (;;) {
      const start = field.lastIndex;
      const match = field.exec(record);
      if (!match) throw traceError(this.#file, line, `a stray quote in ${quoted(record.slice(start))}`);
      fields.push(match[1]?.replaceAll('""', '"') ?? match[2]);
      if (match[3] === '') return fields;
    }
  }
}
