/** Plays a control loop of as many steps as its argument says, and tells what it left behind: see control-week.ts. */
import type { HeapInfo } from 'node:v8';
import type { Worker as Thread } from 'node:worker_threads';
import type { WorkflowHandle } from '@temporalio/client';
import { createControlActivities } from '../../activities/control.ts';
import type { ControlPorts } from '../../activities/ports.ts';
import type { ControlActivities, ControlDecision } from '../../src/contracts/control.ts';
import { stopControlUpdate } from '../../src/contracts/messages.ts';
import { onlineBoutiqueApplication } from '../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { CHOICES } from '../../src/rl/environments/online-boutique/replica-actions.ts';
import { Generator } from '../../src/rl/random.ts';
import { FakeCluster } from '../../test/fakes/fake-cluster.ts';
import { MemoryControlStore } from '../../test/fakes/memory-control-store.ts';
import { deploymentRecord, FakeMetrics, FakePolicy, limits } from '../../test/unit/control/control-bench.ts';
import { serveControl, startLoop } from '../../test/workflows/control-fixture.ts';
import type { LoopUnderTest } from '../../test/workflows/control-fixture.ts';
import { openWorkflowServer, stopWorkers } from '../../test/workflows/workflow-server.ts';
import type { WorkflowServer } from '../../test/workflows/workflow-server.ts';
import type { PlayedLoop } from './control-week.ts';

const stepSeconds = 15;

async function playLoop(steps: number): Promise<PlayedLoop> {
  const server = await openWorkflowServer();
  const memory = new MemoryWatch(steps);
  const running = [await serveControl(server, await steeringActivities((step) => memory.note(step)))];
  const startedMs = performance.now();
  const loop = await startLoop(server, { spec: {} });
  await memory.ended;
  const stepMs = (performance.now() - startedMs) / steps;
  await loop.handle.executeUpdate(stopControlUpdate);
  await loop.result();
  await stopWorkers(running);
  const historyEvents = await eventsOfRuns(server, loop);
  await server.close();
  const [earlyMb, lateMb] = [memory.mean(0.25, 0.3), memory.mean(0.95, 1)];
  process.stderr.write(
    `${steps} steps in ${historyEvents.length} runs, at most ${Math.max(...historyEvents)} events; ` +
      `${(1000 / stepMs).toFixed(1)} steps/s; megabytes: ${earlyMb.toFixed(0)} early, ${lateMb.toFixed(0)} late\n`,
  );
  return { historyEvents, earlyMb, lateMb, stepMs };
}

/** The memory of this process, step by step. */
class MemoryWatch {
  readonly ended: Promise<void>;
  private readonly megabytes: Float64Array;
  private end = (): void => {};
  /** Workflows run in threads of the Temporal worker, each with a heap of its own. */
  private readonly threads: Thread[] = [];

  constructor(steps: number) {
    this.megabytes = new Float64Array(steps);
    process.on('worker', (thread) => this.threads.push(thread));
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  note(step: number): void {
    const { length } = this.megabytes;
    if (step >= length) return;
    this.megabytes[step] = process.memoryUsage.rss() / 1e6;
    if (step % 1_000 === 999) void this.report(step + 1);
    if (step === length - 1) this.end();
  }

  /** Resident memory is what was once needed at most; whether something leaks, what is used in the heaps says. */
  private async report(steps: number): Promise<void> {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const heaps = await Promise.all(this.threads.map((thread) => thread.getHeapStatistics().catch(() => null)));
    const inThreads = (of: (heap: HeapInfo) => number): number =>
      heaps.reduce((sum, heap) => sum + (heap === null ? 0 : of(heap)), 0);
    const used = inThreads((heap) => heap.used_heap_size);
    const total = inThreads((heap) => heap.total_physical_size);
    const parts = [rss, heapUsed, heapTotal, external, used, total].map((bytes) => (bytes / 1e6).toFixed(0));
    process.stderr.write(
      `${steps} steps: ${parts.join(', ')} MB (resident; heap used, heap, external; threads' heaps used, heaps)\n`,
    );
  }

  /** @param from,to shares of the steps. */
  mean(from: number, to: number): number {
    const { length } = this.megabytes;
    const part = this.megabytes.subarray(Math.floor(from * length), Math.ceil(to * length));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  }
}

/** The control activities on fakes, but for opening and closing. Time passes by a step's length at each step. */
async function steeringActivities(onStep: (step: number) => void): Promise<ControlActivities> {
  const services = onlineBoutiqueApplication.services.map(({ name }) => name);
  let timeMs = Date.UTC(2026, 10, 2);
  const now = (): Date => new Date(timeMs);
  const cluster = new FakeCluster(
    services.map((service) => `shop/${service}`),
    now,
  );
  const metrics = new FakeMetrics();
  const control = new ForgetfulControlStore();
  const ports = {
    store: { control },
    reader: cluster,
    actor: cluster,
    snapshots: metrics,
    policies: randomPolicy(),
    applicationOf: async () => onlineBoutiqueApplication,
    now,
  } as unknown as ControlPorts;
  const activities = createControlActivities(ports);
  return {
    ...activities,
    async openControl({ deployment }) {
      await control.openDeployment({
        ...deploymentRecord({ name: deployment }),
        name: deployment,
        services: services.map((service) => ({ service, workload: `shop/${service}`, kind: 'Deployment', limits })),
      });
      return { mode: 'live', intervalMs: 1, model: 'shop', environment: 'online-boutique', step: 0 };
    },
    async controlStep(input) {
      timeMs += stepSeconds * 1000;
      const day = (2 * Math.PI * timeMs) / 86_400_000;
      metrics.requestsPerSecond = 60 - 40 * Math.cos(day);
      metrics.cpuMillicores = 8 * metrics.requestsPerSecond;
      const summary = await activities.controlStep(input);
      cluster.scaled.length = 0; // the fake's notes would be mistaken for a leak
      onStep(input.state.step);
      return summary;
    },
    closeControl: async () => {},
  };
}

/** Takes any of the choices that are allowed. */
function randomPolicy(): FakePolicy {
  const generator = new Generator(1);
  const policy = new FakePolicy();
  policy.action = ({ mask }) =>
    Array.from({ length: mask!.length / CHOICES }, (_, s) => {
      const allowed = Array.from({ length: CHOICES }, (__, choice) => choice).filter((c) => mask![s * CHOICES + c]);
      return allowed[generator.integer(allowed.length)];
    });
  return policy;
}

/** Keeps the newest decision only: memory shall be that of the loop, not of its record. */
class ForgetfulControlStore extends MemoryControlStore {
  private newest: ControlDecision | null = null;

  override async writeDecision(decision: ControlDecision): Promise<ControlDecision> {
    this.newest = decision;
    return decision;
  }

  override async completeDecision(
    _deployment: string,
    _step: number,
    end: Pick<ControlDecision, 'result' | 'summary'>,
  ) {
    this.newest = this.newest && { ...this.newest, ...end };
  }

  override async getDecision(_deployment: string, step: number): Promise<ControlDecision | null> {
    return this.newest?.step === step ? this.newest : null;
  }

  override async latestDecision(): Promise<ControlDecision | null> {
    return this.newest;
  }
}

async function eventsOfRuns({ client }: WorkflowServer, { handle }: LoopUnderTest): Promise<number[]> {
  const events: number[] = [];
  for (let runId: string | null | undefined = (await handle.describe()).runId; runId;) {
    const run: WorkflowHandle = client.workflow.getHandle(handle.workflowId, runId);
    events.push((await run.describe()).historyLength);
    const { events: history } = await run.fetchHistory();
    runId = history?.[0].workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  }
  return events;
}

process.send!(await playLoop(Number(process.argv[2])), () => process.disconnect());
