import { createOrchestrationActivities } from '../activities/orchestration.ts';
import { createTrackingActivities } from '../activities/tracking.ts';
import type { OrchestrationPorts, TrackingPorts } from '../activities/ports.ts';
import type { Config } from '../config/index.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import { taskQueues } from '../src/contracts/task-queues.ts';
import { collect } from '../src/recordings/collect.ts';
import type { Algorithm } from '../src/rl/algorithm.ts';
import { loadAlgorithms } from '../src/rl/algorithms/load-algorithms.ts';
import { parseRunSpec, specSha256 } from '../src/spec/run-spec.ts';
import { checkSpecAgainstWorker, isTrackingEnabled } from '../src/spec/worker-allowance.ts';
import { mirrorRun } from '../src/tracking/mirror.ts';
import type { MirrorOptions } from '../src/tracking/mirror.ts';
import { createNullTracker } from '../src/tracking/null-tracker.ts';
import { createWandbTracker } from '../src/tracking/wandb-client.ts';
import { addBacklogMetrics } from './backlog-metrics.ts';
import { addControlMetrics } from './control-metrics.ts';
import { shutdownTimes } from './shutdown-times.ts';
import { checkSpecAgainstCode, episodeSteps } from './spec-against-code.ts';
import { isPolled } from './task-queue-pollers.ts';
import { runWorkerProcess } from './worker-process.ts';
import type { WorkerContext } from './worker-process.ts';
import { workflowBundle } from './workflow-bundle.ts';

const timing = { ...shutdownTimes.orchestrator, maxHeartbeatThrottleInterval: '1s' } as const;

/** Runs that one orchestrator mirrors at once; further ones are mirrored when there is room, and never hold a run up. */
const mirrors = 500;

/**
 * The orchestrator: runs the workflows and their light activities on the queue `orchestration`, and the mirrors to
 * outside trackers on `track`. Several may run; any of them goes on with any run.
 */
await runWorkerProcess(async (context) => {
  addBacklogMetrics(context.metrics, context.client, Object.values(taskQueues));
  addControlMetrics(context.metrics, context.store.control);
  return [
    {
      taskQueue: taskQueues.orchestration,
      workflowBundle: await workflowBundle(),
      activities: createOrchestrationActivities(
        portsOf(context, await loadAlgorithms(context.config.algorithmModules)),
      ),
      ...timing,
    },
    {
      taskQueue: taskQueues.track,
      activities: createTrackingActivities(trackingPortsOf(context)),
      maxConcurrentActivityTaskExecutions: mirrors,
      ...timing,
    },
  ];
});

function portsOf(
  { config, client, store, artifacts }: WorkerContext,
  algorithms: Readonly<Record<string, Algorithm>>,
): OrchestrationPorts {
  return {
    store,
    artifacts,
    readSpec(input) {
      const spec = parseRunSpec(input);
      checkSpecAgainstWorker(spec, config);
      checkSpecAgainstCode(spec, algorithms);
      return { spec, specSha256: specSha256(spec) };
    },
    tracks: (spec) => isTrackingEnabled(spec, config),
    collect: (spec, { minimumBins, signal }) => collect(spec, { dataFolders: config.dataFolders, minimumBins, signal }),
    episodeSteps,
    isPolled: (taskQueue) => isPolled(client, taskQueue),
  };
}

function trackingPortsOf({ config, store, artifacts }: WorkerContext): TrackingPorts {
  return {
    store,
    mirror: ({ spec, ...options }) => mirrorRun({ ...options, store, artifacts, ...trackerOf(config, spec) }),
  };
}

/** Without a key, or offline, nothing is sent: everything goes into files that the user may upload later. */
function trackerOf({ wandb }: Config, spec: RunSpec): Pick<MirrorOptions, 'tracker' | 'target' | 'offlineFolder'> {
  const { apiKey, baseUrl, mode, folder } = wandb;
  const tracker =
    apiKey === null || mode === 'offline'
      ? createNullTracker('W&B is switched to offline.')
      : createWandbTracker({ apiKey: apiKey.reveal(), baseUrl });
  return { tracker, target: spec.tracking.wandb, offlineFolder: folder };
}
