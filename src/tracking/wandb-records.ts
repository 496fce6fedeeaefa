import type { HistoryLine } from './history-lines.ts';
import { integerField, messageField, textField } from './protobuf-fields.ts';
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

/** @param number counts a file's records from 1. */
function encode(number: number, kind: number, ...fields: readonly Buffer[]): Buffer {
  return Buffer.concat([integerField(record.number, number), messageField(kind, ...fields)]);
}

/** First record of a file. */
export function headerRecord(number: number): Buffer {
  return encode(number, record.header, messageField(1, textField(1, 'coxswain'), textField(2, minimumConsumer)));
}

/** The run itself. */
export function runRecord(number: number, run: RunDescription): Buffer {
  return encode(
    number,
    record.run,
    textField(1, run.id),
    textField(2, run.entity ?? ''),
    textField(3, run.project),
    messageField(4, ...configItems(run)),
    textField(6, run.group),
    textField(7, run.jobType),
    textField(8, run.displayName),
    textField(9, run.notes),
    ...run.tags.map((tag) => textField(10, tag)),
    messageField(17, ...timestamp(run.startedAt)),
    messageField(21, textField(2, run.commit ?? '')),
  );
}

function configItems(run: RunDescription): Buffer[] {
  return Object.entries(wandbConfig(run)).map(([key, { value }]) => item(1, key, JSON.stringify(value)));
}

function timestamp(at: Date): Buffer[] {
  const ms = at.getTime();
  return [integerField(1, Math.floor(ms / 1000)), integerField(2, (ms % 1000) * 1_000_000)];
}

/** A line of the history. */
export function historyRecord(number: number, { fields, step }: HistoryLine): Buffer {
  const items = fields.map(([key, json]) => item(1, key, json));
  return encode(number, record.history, ...items, messageField(2, integerField(1, step)));
}

/** The whole summary. `wandb sync` takes none from the history. */
export function summaryRecord(number: number, summary: Summary): Buffer {
  const items = Object.entries(summary).map(([key, value]) => item(1, key, JSON.stringify(value)));
  return encode(number, record.summary, ...items);
}

/** A pair of key and JSON text, the same in history, summary and config. */
function item(field: number, key: string, json: string): Buffer {
  return messageField(field, textField(1, key), textField(16, json));
}

/** A model to upload. @param paths absolute path of each file, in the order of the model's files. */
export function artifactRecord(
  number: number,
  run: RunDescription,
  model: ModelUpload,
  paths: readonly string[],
): Buffer {
  const digest = artifactDigest(model.files);
  return encode(
    number,
    record.artifact,
    textField(1, run.id),
    textField(2, run.project),
    textField(3, run.entity ?? ''),
    textField(4, 'model'),
    textField(5, model.name),
    textField(6, digest),
    textField(7, model.description),
    textField(8, JSON.stringify(model.metadata)),
    ...aliasesOf(model).map((alias) => textField(11, alias)),
    messageField(12, ...manifestFields(model, paths)),
    integerField(14, 1), // commit it
    textField(15, clientId(run.id, digest)),
    textField(16, clientId(run.project, model.name)),
  );
}

function manifestFields({ files }: ModelUpload, paths: readonly string[]): Buffer[] {
  const layout = messageField(3, textField(1, 'storageLayout'), textField(2, JSON.stringify('V2')));
  const entries = files.map(({ name, bytes }, index) =>
    messageField(
      4,
      textField(1, name),
      textField(2, fileDigest(bytes)),
      integerField(4, bytes.length),
      textField(6, paths[index]),
    ),
  );
  return [integerField(1, 1), textField(2, 'wandb-storage-policy-v1'), layout, ...entries];
}

/** How the run ended; last record of a file. */
export function exitRecord(number: number, exitCode: number): Buffer {
  return encode(number, record.exit, integerField(1, exitCode));
}
