import type { TrackingResult } from '../../src/contracts/runs.ts';
import { mirrorRun } from '../../src/tracking/mirror.ts';
import type { MirrorOptions } from '../../src/tracking/mirror.ts';
import { createWandbTracker } from '../../src/tracking/wandb-client.ts';
import type { WandbLimits } from '../../src/tracking/wandb-attempts.ts';
import type { TrackedScenario } from './wandb-scenario.ts';
import type { WandbRun } from './wandb-run-state.ts';
import type { WandbServer } from './wandb-server.ts';

/** An API key that is easy to search for, and as long as W&B wants them. */
export const apiKey = '00c0ffee'.repeat(5);

/** Times of a test: looks and pauses hurry, but a W&B that answers has all the time that a busy machine takes. */
const limits = {
  pollMs: 20,
  watchMs: 10,
  heartbeatMs: 30_000,
  batchPoints: 4,
  minPauseMs: 10,
  maxPauseMs: 50,
  endMs: 20_000,
  endFailingMs: 10_000,
  settleMs: 20_000,
};
const wandbLimits = { attemptMs: 10_000, callMs: 20_000, attempts: 2, backoffMs: 5 };

/** Times for a W&B that will not take anything: it is given up after a tenth of a second. */
export const impatient = {
  limits: { endMs: 1_000, endFailingMs: 100 },
  wandbLimits: { attemptMs: 100, callMs: 1_000 },
};

/** Mirrors a scenario's run to the stand-in. */
export function mirror(
  { runId, store, artifacts }: Pick<TrackedScenario, 'runId' | 'store' | 'artifacts'>,
  baseUrl: string,
  options: Partial<MirrorOptions> & { wandbLimits?: Partial<WandbLimits> } = {},
): Promise<TrackingResult> {
  return mirrorRun({
    runId,
    store,
    artifacts,
    tracker: createWandbTracker({
      apiKey,
      baseUrl,
      limits: { ...wandbLimits, ...options.wandbLimits },
      random: () => 0,
    }),
    target: { project: 'proj', entity: null, tags: [] },
    offlineFolder: null,
    signal: new AbortController().signal,
    ...options,
    limits: { ...limits, ...options.limits },
  });
}

/** A run of the stand-in by the end of its display name, for example `seed-1`; the pipeline's own by the run's id. */
export function runNamed({ runs }: WandbServer, displayName: string): WandbRun {
  const run = runs.all.find(({ description }) => description.displayName === displayName);
  if (run === undefined) throw new Error(`W&B has no run ${displayName}`);
  return run;
}

/** Steps of a run's history lines. */
export function stepsOf({ history }: WandbRun): readonly number[] {
  return history.map((line) => (JSON.parse(line) as { _step: number })._step);
}

/** Resolves when `holds` does; throws when that takes longer than anything here may. */
export async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`never came true: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
