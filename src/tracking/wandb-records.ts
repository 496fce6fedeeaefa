import { ProtobufWriter } from '../tensor/protobuf-writer.ts';
import type { HistoryLine } from './history-lines.ts';
import type { ModelUpload, RunDescription, Summary } from './tracker.ts';
import { wandbConfig } from './wandb-config.ts';
import { aliasesOf, artifactDigest, clientId, fileDigest } from './wandb-manifest.ts';

/**
 * Records of a `.wandb` file: protocol buffer messages of W&B's wandb_internal.proto, of which these are the fields that
 * `wandb sync` reads.
 */
const record = { number: 1, history: 2, summary: 3, artifact: 8, run: 17, exit: 18, header: 21 } as const;

/** The oldest official client that understands these records. */
const minimumConsumer = '0.13.0';

type Write = (writer: ProtobufWriter) => void;

/** @param number counts a file's records from 1. */
function encode(number: number, kind: number, write: Write): Uint8Array {
  const writer = new ProtobufWriter();
  writer.integer(record.number, number);
  writer.message(kind, write);
  return writer.finish();
}

/** First record of a file. */
export function headerRecord(number: number): Uint8Array {
  return encode(number, record.header, (header) =>
    header.message(1, (version) => {
      version.string(1, 'coxswain');
      version.string(2, minimumConsumer);
    }),
  );
}

/** The run itself. */
export function runRecord(number: number, run: RunDescription): Uint8Array {
  return encode(number, record.run, (message) => {
    message.string(1, run.id);
    if (run.entity !== null) message.string(2, run.entity);
    message.string(3, run.project);
    message.message(4, (config) => writeConfig(config, run));
    message.string(6, run.group);
    message.string(7, run.jobType);
    message.string(8, run.displayName);
    message.string(9, run.notes);
    for (const tag of run.tags) message.string(10, tag);
    message.message(17, (time) => writeTimestamp(time, run.startedAt));
    if (run.commit !== null) message.message(21, (git) => git.string(2, run.commit ?? ''));
  });
}

function writeConfig(config: ProtobufWriter, run: RunDescription): void {
  for (const [key, { value }] of Object.entries(wandbConfig(run)))
    config.message(1, (update) => writeItem(update, key, JSON.stringify(value)));
}

function writeTimestamp(time: ProtobufWriter, at: Date): void {
  const ms = at.getTime();
  time.integer(1, Math.floor(ms / 1000));
  time.integer(2, (ms % 1000) * 1_000_000);
}

/** A line of the history. */
export function historyRecord(number: number, line: HistoryLine): Uint8Array {
  return encode(number, record.history, (history) => {
    for (const [key, json] of line.fields) history.message(1, (item) => writeItem(item, key, json));
    history.message(2, (step) => step.integer(1, line.step));
  });
}

/** The whole summary. `wandb sync` takes none from the history. */
export function summaryRecord(number: number, summary: Summary): Uint8Array {
  return encode(number, record.summary, (message) => {
    for (const [key, value] of Object.entries(summary))
      message.message(1, (update) => writeItem(update, key, JSON.stringify(value)));
  });
}

/** A pair of key and JSON text, the same in history, summary and config. */
function writeItem(item: ProtobufWriter, key: string, json: string): void {
  item.string(1, key);
  item.string(16, json);
}

/** A model to upload. @param paths absolute path of each file, in the order of the model's files. */
export function artifactRecord(
  number: number,
  run: RunDescription,
  model: ModelUpload,
  paths: readonly string[],
): Uint8Array {
  const digest = artifactDigest(model.files);
  return encode(number, record.artifact, (artifact) => {
    artifact.string(1, run.id);
    artifact.string(2, run.project);
    if (run.entity !== null) artifact.string(3, run.entity);
    artifact.string(4, 'model');
    artifact.string(5, model.name);
    artifact.string(6, digest);
    artifact.string(7, model.description);
    artifact.string(8, JSON.stringify(model.metadata));
    for (const alias of aliasesOf(model)) artifact.string(11, alias);
    artifact.message(12, (manifest) => writeManifest(manifest, model, paths));
    artifact.integer(14, 1); // commit it
    artifact.string(15, clientId(run.id, digest));
    artifact.string(16, clientId(run.project, model.name));
  });
}

function writeManifest(manifest: ProtobufWriter, { files }: ModelUpload, paths: readonly string[]): void {
  manifest.integer(1, 1);
  manifest.string(2, 'wandb-storage-policy-v1');
  manifest.message(3, (config) => {
    config.string(1, 'storageLayout');
    config.string(2, JSON.stringify('V2'));
  });
  for (const [index, { name, bytes }] of files.entries())
    manifest.message(4, (entry) => {
      entry.string(1, name);
      entry.string(2, fileDigest(bytes));
      entry.integer(4, bytes.length);
      entry.string(6, paths[index]);
    });
}

/** How the run ended; last record of a file. */
export function exitRecord(number: number, exitCode: number): Uint8Array {
  return encode(number, record.exit, (exit) => exit.integer(1, exitCode));
}
