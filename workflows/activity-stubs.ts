import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type {
  CollectActivities,
  EvaluationActivities,
  OrchestrationActivities,
  TrackingActivities,
  TrainingActivities,
} from '../src/contracts/activities.ts';
import type { ControlActivities } from '../src/contracts/control.ts';
import { errorTable } from '../src/contracts/errors.ts';
import { taskQueues } from '../src/contracts/task-queues.ts';
import type { TrainingQueue } from '../src/contracts/task-queues.ts';

/** Codes of the error table that another attempt cannot cure. */
const nonRetryableErrorTypes = Object.entries(errorTable)
  .filter(([, entry]) => !entry.retryable)
  .map(([code]) => code);

/**
 * Repeats until it works or somebody cancels: a store that is away for a minute, or for a night, costs time, not the
 * run. Work whose process keeps dying gives up by itself (see activities/failures.ts).
 */
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s', nonRetryableErrorTypes } as const;

/** A worker that is gone is noticed after this long. */
const heartbeatTimeout = '10s';

/** A cancelled step is over only when its child process is: tried, the default does not wait. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

const light: ActivityOptions = {
  taskQueue: taskQueues.orchestration,
  startToCloseTimeout: '1 minute',
  retry,
  cancellationType,
};

/** Validation, placement, registration and records: short, repeated at will. */
export const orchestration = proxyActivities<OrchestrationActivities>({
  ...light,
});

/** Waiting for a control worker's loop. */
export const awaiting = proxyActivities<Pick<OrchestrationActivities, 'awaitDeployment'>>({
  ...light,
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout,
});

/** Collecting reads files of any size, so it has more time; it heartbeats. */
export const collecting = proxyActivities<Pick<OrchestrationActivities, 'collectRecording'>>({
  ...light,
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout,
});

/** A recording of a live cluster takes as long as what it records. */
export const recording = proxyActivities<CollectActivities>({
  ...light,
  taskQueue: taskQueues.control,
  startToCloseTimeout: '30 days',
  heartbeatTimeout,
  summary: 'Record the cluster',
});

/** The mirror to an outside tracker lives as long as the run. */
export const mirroring = proxyActivities<TrackingActivities>({
  ...light,
  taskQueue: taskQueues.track,
  startToCloseTimeout: '30 days',
  heartbeatTimeout,
  summary: 'Mirror the metrics to W&B',
});

/** Training of one seed on the given queue; a generation is what runs between two pauses. */
export function trainingOn(taskQueue: TrainingQueue, seed: number, generation: number): TrainingActivities {
  return proxyActivities<TrainingActivities>({
    taskQueue,
    startToCloseTimeout: '30 days',
    heartbeatTimeout,
    retry,
    cancellationType,
    activityId: `seed-${seed}-${generation}`,
    summary: `Train seed ${seed}`,
  });
}

/** Calibration and evaluation. */
export const evaluating = proxyActivities<EvaluationActivities>({
  taskQueue: taskQueues.evaluate,
  startToCloseTimeout: '1 day',
  heartbeatTimeout,
  retry,
  cancellationType,
});

/**
 * Control loops. A step that is late is worth little, so it is tried again soon; its own limits keep it far below the time
 * that it is given here.
 */
export const controlling = proxyActivities<ControlActivities>({
  taskQueue: taskQueues.control,
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout,
  retry: { ...retry, maximumInterval: '5s' },
  cancellationType,
});
