import type { FileHandle } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { CsvParser, maxRecordLength } from './csv-parser.ts';
import type { CsvRecord } from './csv-parser.ts';
import { traceError } from './trace-error.ts';
import type { FileLabel } from './trace-error.ts';

const chunkBytes = 256 * 1024;
const newline = 0x0a;

/**
 * The records of a CSV file, in batches, holding no more than a chunk and the record under way. Begins at the start of
 * the file; a byte order mark is skipped. The caller closes the handle.
 * @throws CoxswainError TRACE_UNREADABLE for bytes that are not UTF-8, too long lines and broken CSV; what `signal` was
 * aborted with.
 */
export async function* readCsv(
  handle: FileHandle,
  file: FileLabel,
  signal?: AbortSignal,
): AsyncGenerator<readonly CsvRecord[]> {
  const parser = new CsvParser(file);
  for await (const block of readLineBlocks(handle, file, parser, signal))
    yield parser.read(decodeLines(block, file, parser.line));
  parser.end();
}

/** The bytes in blocks of whole lines; a line break at the end of a block is left out. */
async function* readLineBlocks(
  handle: FileHandle,
  file: FileLabel,
  parser: CsvParser,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for (let position = 0; ;) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
    if (bytesRead === 0) break;
    const chunk = position === 0 ? withoutMark(buffer.subarray(0, bytesRead), file) : buffer.subarray(0, bytesRead);
    position += bytesRead;
    const end = chunk.lastIndexOf(newline);
    if (end >= 0) {
      yield Buffer.concat([...rest, chunk.subarray(0, end)]);
      [rest, restBytes] = [[], 0];
    }
    rest.push(chunk.subarray(end + 1));
    restBytes += chunk.length - end - 1;
    if (restBytes > maxRecordLength) throw traceError(file, parser.line + 1, `a line above ${maxRecordLength} bytes`);
  }
  if (restBytes > 0) yield Buffer.concat(rest);
}

function withoutMark(start: Buffer, file: FileLabel): Buffer {
  if (start.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) return start.subarray(3);
  const first = start.subarray(0, 2).toString('hex');
  if (first === 'fffe' || first === 'feff') throw traceError(file, 1, 'found UTF-16; expected CSV text in UTF-8');
  if (first === '1f8b') throw traceError(file, 1, 'found gzip; expected CSV text, so unpack it first');
  return start;
}

function decodeLines(block: Buffer, file: FileLabel, linesBefore: number): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(block).split('\n');
  } catch (error) {
    const index = lineOfInvalidBytes(block, decoder);
    throw traceError(file, linesBefore + 1 + index, 'bytes that are not UTF-8; expected CSV text in UTF-8', error);
  }
}

function lineOfInvalidBytes(block: Buffer, decoder: TextDecoder): number {
  let index = 0;
  for (let start = 0; start < block.length; index++) {
    const next = block.indexOf(newline, start);
    const end = next < 0 ? block.length : next;
    try {
      decoder.decode(block.subarray(start, end));
    } catch {
      break;
    }
    start = end + 1;
  }
  return index;
}
