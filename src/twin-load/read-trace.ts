import { open } from 'node:fs/promises';
import { FieldProblem, parseCount } from '../recordings/trace-values.ts';
import { readCsv } from '../recordings/read-csv.ts';
import { maxRecordingBins } from '../recordings/recording.ts';
import { quoted, traceError } from '../recordings/trace-error.ts';

/**
 * Requests in each bin, from a CSV file with one row a bin: its last column, or the one with the header `column`. A first
 * row whose value is no number is a header.
 * @throws CoxswainError TRACE_UNREADABLE naming file, line and what was expected; what `signal` was aborted with.
 */
export async function readTrace(path: string, column: string | null, signal?: AbortSignal): Promise<Float64Array> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw traceError(path, null, `cannot be read (${error.code}); expected a CSV file with one row a bin`, error);
  });
  try {
    const counts: number[] = [];
    let place: number | null = null;
    for await (const records of readCsv(handle, path, signal)) {
      for (const { fields, line } of records) {
        const isFirst = place === null;
        place ??= placeOf(column, fields, path, line);
        if (isFirst && (column !== null || !isNumber(fields[place]))) continue;
        counts.push(countIn(fields, place, path, line));
        if (counts.length > maxRecordingBins) throw traceError(path, line, `more than ${maxRecordingBins} bins`);
      }
    }
    if (counts.length === 0) throw traceError(path, null, 'has no bin; expected one row a bin');
    return Float64Array.from(counts);
  } finally {
    await handle.close();
  }
}

function placeOf(column: string | null, fields: readonly string[], path: string, line: number): number {
  if (column === null) return fields.length - 1;
  const place = fields.indexOf(column);
  if (place >= 0) return place;
  throw traceError(
    path,
    line,
    `found the columns ${fields.map(quoted).join(', ')}; expected one called ${quoted(column)}`,
  );
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

function countIn(fields: readonly string[], place: number, path: string, line: number): number {
  if (place >= fields.length) {
    throw traceError(path, line, `found ${fields.length} fields; expected at least ${place + 1}`);
  }
  try {
    // A rate that was multiplied by the bin's width need not be whole.
    return parseCount(fields[place], 'requests-per-second');
  } catch (error) {
    if (error instanceof FieldProblem) throw traceError(path, line, error.message);
    throw error;
  }
}
