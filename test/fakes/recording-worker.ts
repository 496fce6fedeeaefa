/**
 * A worker of the queue control that a test may kill: it records live clusters with the real activity, from a real
 * Prometheus, into an artifact folder. Arguments: Temporal's address, namespace, folder, Prometheus's URL. It writes the
 * beginning of each stretch that it asks for to standard output, and takes its time for one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createCollectActivities } from '../../activities/collect.ts';
import { createPrometheusClient } from '../../src/cluster/prometheus/prometheus-client.ts';
import { standardMetricNames } from '../../src/cluster/workload-metrics/metric-names.ts';
import { createSeriesReader } from '../../src/cluster/workload-metrics/series-reader.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { createFolderArtifactStore } from '../../src/store/artifacts/folder-artifact-store.ts';
import { createMemoryStore } from './memory-store.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const [address, namespace, folder, url] = process.argv.slice(2);
const pauseMs = 1_500;
const reader = createSeriesReader(createPrometheusClient({ url }), standardMetricNames);
const nothing = { nodes: [], workloads: [], pods: [], podsLeft: {}, events: [], gaps: [] };
const activities = createCollectActivities({
  store: createMemoryStore(),
  artifacts: await createFolderArtifactStore(folder),
  series: {
    async read(request, signal) {
      process.stdout.write(`${request.startSeconds}\n`);
      await sleep(pauseMs, undefined, { signal });
      return reader.read(request, signal);
    },
  },
  cluster: { read: async () => ({ ...nothing, at: new Date() }) },
  episodeSteps: () => 2,
  client: null,
  settleMs: 0,
});
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  ...{ connection, namespace, activities, taskQueue: taskQueues.control },
  ...{ maxHeartbeatThrottleInterval: '100ms', defaultHeartbeatThrottleInterval: '100ms' },
});
process.on('disconnect', () => process.exit());
await worker.run();
