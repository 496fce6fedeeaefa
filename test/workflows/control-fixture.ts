import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { ControlActivities, ControlInput, ControlState, ControlStatus } from '../../src/contracts/control.ts';
import { controlStatusQuery } from '../../src/contracts/messages.ts';
import { controlWorkflowId, memoKeys, workflowTypes } from '../../src/contracts/pipeline.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { uniqueName } from '../../scripts/local-services/test-services.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { openWorkflowServer, stopWorkers } from './workflow-server.ts';
import type { RunningWorkers, WorkflowServer } from './workflow-server.ts';

/** Names of the activities that were called, with the step's number: `controlStep 3`. */
export type ControlCalls = string[];

/** What a step without trouble carries on. */
function nextState(state: ControlState): ControlState {
  return { ...state, step: state.step + 1 };
}

/** Activities that succeed at once and note their calls. */
export function fakeControlActivities(
  calls: ControlCalls,
  overrides: Partial<ControlActivities> = {},
  intervalMs = 20,
): ControlActivities {
  const activities: ControlActivities = {
    openControl: async () => ({ mode: 'live', intervalMs, model: 'fixture', environment: 'online-boutique', step: 0 }),
    controlStep: async ({ state }) => ({
      step: state.step,
      at: new Date().toISOString(),
      actor: state.fallback === null ? 'policy' : 'fallback',
      changed: 0,
      guarded: 0,
      state: nextState(state),
      notes: [],
    }),
    recordControlEvent: async () => {},
    closeControl: async () => {},
    ...overrides,
  };
  return {
    openControl: (input) => (calls.push('openControl'), activities.openControl(input)),
    controlStep: (input) => (calls.push(`controlStep ${input.state.step}`), activities.controlStep(input)),
    recordControlEvent: (input) => (calls.push(`record ${input.kind}`), activities.recordControlEvent(input)),
    closeControl: (input) => (calls.push(`closeControl ${input.failure ?? 'stopped'}`), activities.closeControl(input)),
  };
}

/** A control loop on the test server. */
export interface LoopUnderTest {
  readonly deployment: string;
  /** Of the newest run. */
  readonly handle: WorkflowHandle;
  result(): Promise<ControlStatus>;
  status(): Promise<ControlStatus>;
  /** Resolves once the status satisfies the condition. */
  until(condition: (status: ControlStatus) => boolean): Promise<ControlStatus>;
}

export interface ControlFixture {
  readonly server: WorkflowServer;
  /** Starts a loop whose activities are the given ones. */
  start(activities: ControlActivities, input?: ControlInput): Promise<LoopUnderTest>;
  stop(): Promise<void>;
}

/** A client and workers on the real test server, on the real queue names, in a namespace of their own. */
export async function createControlFixture(): Promise<ControlFixture> {
  const server = await openWorkflowServer();
  const running: RunningWorkers[] = [];
  return {
    server,
    async start(activities, input = { spec: {} }) {
      await stopWorkers(running);
      running.push(await serveControl(server, activities));
      return startLoop(server, input);
    },
    async stop() {
      await stopWorkers(running);
      await server.close();
    },
  };
}

/** Workers of the two queues that a loop needs. */
export async function serveControl(
  { native, namespace }: WorkflowServer,
  activities: ControlActivities,
): Promise<RunningWorkers> {
  const common = { connection: native, namespace, shutdownGraceTime: '1s' } as const;
  const heartbeats = { maxHeartbeatThrottleInterval: '100ms', defaultHeartbeatThrottleInterval: '100ms' } as const;
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: taskQueues.orchestration, workflowBundle: await workflowBundle() }),
    Worker.create({ ...common, ...heartbeats, taskQueue: taskQueues.control, activities }),
  ]);
  return { workers, ended: Promise.all(workers.map((worker) => worker.run())) };
}

export async function startLoop({ client }: WorkflowServer, input: ControlInput): Promise<LoopUnderTest> {
  const deployment = uniqueName('loop');
  const workflowId = controlWorkflowId(deployment);
  const taskQueue = taskQueues.orchestration;
  const memo = { [memoKeys.specSha256]: 'f'.repeat(64) };
  await client.workflow.start(workflowTypes.control, { taskQueue, workflowId, args: [input], memo });
  // Without the id of its first run, which the loop may have left behind.
  const handle = client.workflow.getHandle(workflowId);
  const status = (): Promise<ControlStatus> => handle.query(controlStatusQuery);
  return {
    deployment,
    handle,
    result: () => handle.result() as Promise<ControlStatus>,
    status,
    async until(condition) {
      for (;;) {
        const now = await status();
        if (condition(now)) return now;
        await sleep(20);
      }
    },
  };
}
