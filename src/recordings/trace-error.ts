import { CoxswainError } from '../contracts/errors.ts';

/** The file as people know it, `folder/path`: what its address on the worker is, is nobody's business. */
export type FileLabel = string;

/** TRACE_UNREADABLE that names the file and, where there is one, the line. */
export function traceError(file: FileLabel, line: number | null, problem: string, cause?: unknown): CoxswainError {
  const place = line === null ? file : `${file}, line ${line}`;
  return new CoxswainError('TRACE_UNREADABLE', `${place}: ${problem}`, { cause, details: { file, line } });
}

/** A text of the file as messages show it: in quotes, at most 60 characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
