import { z } from 'zod';
import { gate } from './report-schema.ts';
import { artifact, link, time } from './schema-parts.ts';

const lineage = z.strictObject({
  runId: z.string(),
  recordingSha256: z.string(),
  gitSha: z.string().nullable(),
  specSha256: z.string(),
  seed: z.int(),
  step: z.int(),
  weightsSha256: z.string(),
  versions: z.record(z.string(), z.string()).describe('Of packages, Node, CPU and device of the training.'),
});

const modelVersion = z
  .strictObject({
    version: z.int().min(1),
    policy: artifact.describe('The ONNX policy.'),
    metadata: artifact.describe('JSON: layout of observation and action, normalisation.'),
    lineage,
    gate,
    createdAt: time('When it was registered.'),
  })
  .meta({ id: 'ModelVersion' });

const aliases = z.record(z.string(), z.int()).describe('Version by alias.');

export const modelList = z
  .strictObject({
    models: z.array(
      z.strictObject({
        model: z.string(),
        latestVersion: z.int(),
        aliases,
        links: z.strictObject({ self: link('The model.') }),
      }),
    ),
  })
  .meta({ id: 'ModelList' });

export const modelDetail = z
  .strictObject({
    model: z.string(),
    aliases,
    versions: z.array(modelVersion).describe('Newest first.'),
    aliasHistory: z
      .array(
        z.strictObject({
          alias: z.string(),
          from: z.int().nullable(),
          to: z.int(),
          runId: z.string(),
          at: time('When it moved.'),
        }),
      )
      .describe('Oldest first.'),
  })
  .meta({ id: 'Model' });
