import { CoxswainError } from '../contracts/errors.ts';
import type { JsonValue } from '../contracts/run-spec.ts';
import type { ModelVersion, RunRecord } from '../contracts/stores.ts';
import type { MirrorPorts } from './mirror-ports.ts';
import type { TrackedRunName } from './tracked-run-names.ts';
import type { ModelUpload } from './tracker.ts';

type ModelPorts = Pick<MirrorPorts, 'store' | 'artifacts'>;

/**
 * The model that the pipeline's own tracked run carries; null for other tracked runs, for a run that registered none, and
 * with a warning when it cannot be read for good.
 * @throws the stores' retryable errors.
 */
export async function readModelUpload(
  ports: ModelPorts,
  run: RunRecord,
  name: TrackedRunName,
  warn: (warning: string) => void,
): Promise<ModelUpload | null> {
  if (name.series.length > 0) return null;
  try {
    return await modelUploadOf(ports, run);
  } catch (error) {
    if (!(error instanceof CoxswainError) || error.retryable) throw error;
    warn(`The model is not in W&B: ${error.message}`);
    return null;
  }
}

/**
 * The model that a run registered, ready to be uploaded: policy, metadata, and where they come from.
 *
 * Aliases: `version-N`, and the spec's own alias when the gate passed. (`vN` is what W&B calls its own versions.)
 */
async function modelUploadOf({ store, artifacts }: ModelPorts, run: RunRecord): Promise<ModelUpload | null> {
  const registered = run.report?.model ?? null;
  const version = registered && (await store.models.getVersion(registered.name, registered.version));
  if (registered === null || version === null) return null;
  const [policy, metadata] = await Promise.all([artifacts.get(version.policy), artifacts.get(version.metadata)]);
  const aliases = [`version-${version.version}`, ...(registered.alias === null ? [] : [registered.alias])];
  return {
    name: version.model,
    description: `Version ${version.version} of ${version.model}, registered by run ${run.runId}.`,
    aliases,
    metadata: metadataOf(version),
    files: [
      { name: 'policy.onnx', bytes: policy },
      { name: 'policy.json', bytes: metadata },
    ],
  };
}

function metadataOf({ version, policy, lineage, gate, createdAt }: ModelVersion): Record<string, JsonValue> {
  const registered = { version, policySha256: policy.sha256, registeredAt: createdAt.toISOString() };
  return { ...registered, lineage: { ...lineage }, gate: { passed: gate.passed, reasons: gate.reasons } };
}
