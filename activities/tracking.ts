import { Context } from '@temporalio/activity';
import type { TrackingActivities } from '../src/contracts/activities.ts';
import { CoxswainError } from '../src/contracts/errors.ts';
import type { TrackingResult } from '../src/contracts/runs.ts';
import { withTranslatedErrors } from './failures.ts';
import { cancellationFailure, whileHeartbeating } from './heartbeat.ts';
import type { TrackingPorts } from './ports.ts';

/** Activities of the track queue; see the contract for what each promises. */
export function createTrackingActivities(ports: TrackingPorts): TrackingActivities {
  return withTranslatedErrors<TrackingActivities>({
    mirrorTracking: ({ runId }) => whileHeartbeating(() => mirrorTracking(ports, runId)),
  });
}

async function mirrorTracking(ports: TrackingPorts, runId: string): Promise<TrackingResult> {
  const context = Context.current();
  const { cancellationSignal: signal } = context;
  const spec = (await ports.store.runs.getRun(runId))?.spec;
  if (spec === undefined || spec === null) throw new CoxswainError('RUN_NOT_FOUND', `No run ${runId} to mirror.`);
  const othersGoOn = (): boolean => context.cancellationDetails?.cancelRequested !== true;
  return ports
    .mirror({ runId, spec, signal, othersGoOn, onWarning: (warning) => context.log.warn(warning) })
    .catch((error: unknown) => {
      throw signal.aborted ? cancellationFailure() : error;
    });
}
