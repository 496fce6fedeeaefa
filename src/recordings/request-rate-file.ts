import type { FileHandle } from 'node:fs/promises';
import type { FileSource } from '../contracts/run-spec.ts';
import type { LayoutReader, RequestCounts } from './layout-reader.ts';
import { LongReader } from './long-reader.ts';
import { readCsv } from './read-csv.ts';
import { traceError } from './trace-error.ts';
import type { FileLabel } from './trace-error.ts';
import { WideReader } from './wide-reader.ts';

/**
 * Reads a request-rate file. Memory does not grow with the file but with the bins taken. The caller closes the handle.
 * @throws CoxswainError TRACE_UNREADABLE naming file, line and what was expected; what `signal` was aborted with.
 */
export async function readRequestCounts(
  handle: FileHandle,
  source: FileSource,
  binSeconds: number,
  signal?: AbortSignal,
): Promise<RequestCounts> {
  const file = `${source.folder}/${source.path}`;
  const reader =
    source.layout.kind === 'long'
      ? new LongReader(source, source.layout, binSeconds, file)
      : new WideReader(source, source.layout, binSeconds, file);
  const isRead = await readRecords(handle, file, reader, signal);
  if (!isRead) throw traceError(file, null, 'is empty; expected a header and rows');
  return reader.finish();
}

/** False when the file holds no record at all. */
async function readRecords(
  handle: FileHandle,
  file: FileLabel,
  reader: LayoutReader,
  signal?: AbortSignal,
): Promise<boolean> {
  let columns: number | null = null;
  for await (const records of readCsv(handle, file, signal))
    for (const record of records) {
      if (columns === null) {
        columns = record.fields.length;
        reader.readHeader(record);
        continue;
      }
      if (record.fields.length !== columns)
        throw traceError(
          file,
          record.line,
          `found ${record.fields.length} fields; expected ${columns} as in the header`,
        );
      if (!reader.readRow(record)) return true;
    }
  return columns !== null;
}
