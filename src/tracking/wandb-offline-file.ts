import { mkdir, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HistoryLine } from './history-lines.ts';
import { LevelDbLog } from './leveldb-log.ts';
import type { ModelUpload, RunDescription, Summary } from './tracker.ts';
import { artifactRecord, exitRecord, headerRecord, historyRecord, runRecord, summaryRecord } from './wandb-records.ts';

/** What an offline run consists of. */
export interface OfflineRun {
  readonly run: RunDescription;
  /** Batches of lines; `wandb sync` puts them after the lines that W&B has. */
  readonly lines: AsyncIterable<readonly HistoryLine[]>;
  /** Asked for after the last batch. */
  readonly summary: () => Summary;
  readonly model: ModelUpload | null;
  readonly exitCode: number;
}

/** Name of the folder of an offline run, as the official client would call it. The same for the same run. */
export function offlineRunFolder({ id, startedAt }: RunDescription): string {
  const [date, time] = startedAt.toISOString().replace(/[-:]/g, '').split(/[T.]/);
  return `offline-run-${date}_${time}-${id}`;
}

/**
 * Writes a run in the form that the official `wandb sync FOLDER` uploads completely: `run-<id>.wandb`, and the model's
 * files beside it, at the absolute paths that the record names.
 *
 * The folder appears complete or not at all, and replaces one that is there.
 * @param folder absolute path.
 * @throws the file system's errors.
 */
export async function writeOfflineRun(folder: string, offline: OfflineRun): Promise<void> {
  const draft = `${folder}.draft`;
  try {
    await rm(draft, { recursive: true, force: true }); // of a process that was killed
    await mkdir(join(draft, 'files'), { recursive: true });
    await writeModelFiles(join(draft, 'model'), offline.model);
    await writeRecords(join(draft, `run-${offline.run.id}.wandb`), join(folder, 'model'), offline);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
    await syncFolder(dirname(folder));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function writeModelFiles(folder: string, model: ModelUpload | null): Promise<void> {
  if (model === null) return;
  await mkdir(folder);
  for (const { name, bytes } of model.files) await writingFile(join(folder, name), (file) => file.writeFile(bytes));
}

function writeRecords(path: string, modelFolder: string, offline: OfflineRun): Promise<void> {
  const { run, lines, summary, model, exitCode } = offline;
  const log = new LevelDbLog();
  let number = 0;
  return writingFile(path, async (file) => {
    const frame = (encode: (number: number) => Uint8Array): Buffer => log.frame(encode(++number));
    const write = (...frames: Buffer[]): Promise<void> => file.appendFile(Buffer.concat(frames));
    await write(
      LevelDbLog.header,
      frame(headerRecord),
      frame((n) => runRecord(n, run)),
    );
    for await (const batch of lines) await write(...batch.map((line) => frame((n) => historyRecord(n, line))));
    await write(frame((n) => summaryRecord(n, summary())));
    if (model !== null) {
      const paths = model.files.map(({ name }) => join(modelFolder, name));
      await write(frame((n) => artifactRecord(n, run, model, paths)));
    }
    await write(frame((n) => exitRecord(n, exitCode)));
  });
}

/** Writes a new file; after that its bytes are on the disk. */
async function writingFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
