import { CoxswainError } from '../contracts/errors.ts';
import type { RunSpec } from '../contracts/run-spec.ts';

/** The part of a worker's configuration that decides what a RunSpec may name. */
export interface WorkerAllowance {
  /** Paths of the readable folders by name. */
  readonly dataFolders: Readonly<Record<string, string>>;
  readonly wandb: { readonly apiKey: object | null; readonly mode: 'online' | 'offline' | 'disabled' };
}

/**
 * Checks that a spec names only what the worker's configuration allows.
 * @throws CoxswainError NOT_ALLOWED naming the path, the value and the setting that would allow it.
 */
export function checkSpecAgainstWorker(spec: RunSpec, worker: WorkerAllowance): void {
  const problems = [...folderProblems(spec, worker), ...wandbProblems(spec, worker)];
  if (problems.length > 0) throw new CoxswainError('NOT_ALLOWED', problems.join('\n'), { details: problems });
}

/** Whether the run is mirrored to W&B, given what the spec wants and the worker can. */
export function isTrackingEnabled(spec: RunSpec, worker: WorkerAllowance): boolean {
  return spec.tracking.wandb.enabled !== false && canMirror(worker);
}

function canMirror({ wandb }: WorkerAllowance): boolean {
  return wandb.mode === 'offline' || (wandb.mode === 'online' && wandb.apiKey !== null);
}

function folderProblems({ collect: { source } }: RunSpec, { dataFolders }: WorkerAllowance): string[] {
  if (source.kind !== 'file' || Object.hasOwn(dataFolders, source.folder)) return [];
  const names = Object.keys(dataFolders).sort();
  const allowed = names.length > 0 ? names.join(' | ') : 'none, since COXSWAIN_DATA_FOLDERS of this worker is unset';
  return [`collect.source.folder: found "${source.folder}"; allowed: ${allowed}`];
}

function wandbProblems(spec: RunSpec, worker: WorkerAllowance): string[] {
  if (spec.tracking.wandb.enabled !== true || canMirror(worker)) return [];
  const reason = worker.wandb.mode === 'disabled' ? 'WANDB_MODE is disabled' : 'WANDB_API_KEY is unset';
  return [`tracking.wandb.enabled: found true; allowed: auto | false, since ${reason} on this worker`];
}
