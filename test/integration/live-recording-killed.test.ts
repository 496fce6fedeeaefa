import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { removeTestData, testDataFolder } from '../../scripts/local-services/test-data.ts';
import { prometheusOrSkip } from '../../scripts/local-services/test-prometheus.ts';
import { uniqueName } from '../../scripts/local-services/test-services.ts';
import { workflowTypes } from '../../src/contracts/pipeline.ts';
import type { RunProgress, CollectedRecording } from '../../src/contracts/runs.ts';
import { progressQuery } from '../../src/contracts/messages.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { decodeClusterRecording } from '../../src/recordings/cluster-recording-format.ts';
import { createFolderArtifactStore } from '../../src/store/artifacts/folder-artifact-store.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { MetricShop } from '../fakes/metric-shop.ts';
import { fakeActivities, spec } from '../workflows/pipeline-fixture.ts';
import { openWorkflowServer } from '../workflows/workflow-server.ts';
import { prometheusWithHistory } from './shop-history.ts';

const { skip } = await prometheusOrSkip();

/** Forty minutes that lie back far enough; the run records twenty of them. */
const minutesAgo = 150;
const live = {
  ...spec,
  collect: {
    source: {
      ...{ kind: 'cluster', namespace: 'shop', entry: null, dialect: 'istio', minutes: 20 },
      ...{ startMinutesAgo: minutesAgo - 10, windowSeconds: 60, maxMissingShare: 0.05 },
    },
    ...{ binSeconds: 15, seed: 1, split: { train: 0.6, validate: 0.2, heldOut: 0.2 } },
  },
} as unknown as RunSpec;

test(
  'a recording whose worker is killed with SIGKILL goes on behind its last chunk in another',
  { skip },
  async (t) => {
    const from = Math.floor(Date.now() / 1000) - minutesAgo * 60;
    const url = await prometheusWithHistory(t, new MetricShop(1), { from, to: from + 2400, every: 15 });
    const server = await openWorkflowServer();
    const folder = testDataFolder();
    const orchestrator = await Worker.create({
      ...{ connection: server.native, namespace: server.namespace, taskQueue: taskQueues.orchestration },
      workflowBundle: await workflowBundle(),
      activities: fakeActivities([], {
        validateRun: async () => ({ spec: live, specSha256: 'f'.repeat(64), trackingEnabled: false }),
      }),
    });
    const orchestrating = orchestrator.run();
    t.after(async () => {
      orchestrator.shutdown();
      await orchestrating;
      await server.close();
      await removeTestData(folder);
    });
    const startWorker = () => recordingWorker([server.address, server.namespace, folder, url]);
    const first = startWorker();
    t.after(() => first.kill());
    const workflowId = uniqueName('run');
    const options = { taskQueue: taskQueues.orchestration, workflowId, args: [{}] };
    const handle = await server.client.workflow.start(workflowTypes.pipeline, options);
    t.after(() => handle.terminate('the test is over').catch(() => undefined));

    await until(() => first.asked.length === 3);
    await first.kill();
    const second = startWorker();
    t.after(() => second.kill());
    const stepOf = ({ steps }: RunProgress) => steps.find(({ name }) => name === 'collect')!;
    await until(async () => stepOf(await handle.query(progressQuery)).status !== 'running');
    const { status, summary } = stepOf(await handle.query(progressQuery));
    assert.equal(status, 'completed', summary);

    // Two chunks were stored when it died; the third, which it had asked for, and the fourth came from the other.
    const begin = first.asked[0];
    assert.deepEqual(first.asked, [begin, begin + 300, begin + 600]);
    assert.deepEqual(second.asked, [begin + 600, begin + 900]);
    const { cluster, bins } = await resultOf(handle);
    const artifacts = await createFolderArtifactStore(folder);
    const recording = decodeClusterRecording(await artifacts.get(cluster!));
    assert.deepEqual([bins, recording.startSeconds, recording.entry], [80, begin, 'shop/web']);
    assert.deepEqual(
      recording.gaps.filter(({ what }) => !what.startsWith('readyReplicas')),
      [],
    );
  },
);

interface RecordingWorker {
  /** Beginnings of the stretches that it asked for. */
  readonly asked: number[];
  /** SIGKILL. */
  kill(): Promise<void>;
}

function recordingWorker(args: readonly string[]): RecordingWorker {
  const program = join(import.meta.dirname, '../fakes/recording-worker.ts');
  const child: ChildProcess = fork(program, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const asked: number[] = [];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    for (const [line] of text.matchAll(/^\d+$/gm)) asked.push(Number(line));
  });
  return {
    asked,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function resultOf(handle: { fetchHistory(): Promise<{ events?: unknown }> }): Promise<CollectedRecording> {
  interface Event {
    activityTaskCompletedEventAttributes?: { result?: { payloads?: { data?: Uint8Array }[] } };
  }
  const { events } = await handle.fetchHistory();
  const results = (events as Event[]).map((event) => {
    const data = event.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data;
    return data?.length ? (JSON.parse(Buffer.from(data).toString('utf8')) as Partial<CollectedRecording> | null) : null;
  });
  const found = results.find((result) => result?.cluster);
  assert.ok(found, 'no activity gave back a recording');
  return found as CollectedRecording;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'it did not come about in 90 s');
    await sleep(100);
  }
}
