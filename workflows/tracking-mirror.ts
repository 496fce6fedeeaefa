import { CancellationScope, sleep } from '@temporalio/workflow';
import type { RunStatus, TrackingResult } from '../src/contracts/runs.ts';
import { mirroring } from './activity-stubs.ts';

/** How long the end of a run waits for the outside tracker; a cancelled run waits less. */
const patienceMs = (status: RunStatus): number => (status === 'cancelled' ? 4_000 : 20_000);

/** The mirror to W&B beside a run. */
export interface TrackingMirror {
  /** Waits a bounded time for the mirror to catch up, then stops it. Never throws. */
  finish(status: RunStatus): Promise<TrackingResult>;
}

/** Starts the mirror in a scope of its own: neither its failure nor a cancellation of the run touches the other. */
export function startTrackingMirror(runId: string): TrackingMirror {
  const stoppable = new CancellationScope({ cancellable: true, parent: new CancellationScope({ cancellable: false }) });
  const result = stoppable
    .run(() => mirroring.mirrorTracking({ runId }))
    .catch((error: unknown) => unfinished(`The mirror to W&B stopped: ${String(error)}`));
  return {
    finish: (status) =>
      CancellationScope.nonCancellable(async () => {
        const inTime = await Promise.race([result.then(() => true), sleep(patienceMs(status)).then(() => false)]);
        if (!inTime) stoppable.cancel();
        return result;
      }),
  };
}

function unfinished(warning: string): TrackingResult {
  return { mode: 'online', sentPoints: 0, unsentPoints: 0, url: null, warnings: [warning] };
}
