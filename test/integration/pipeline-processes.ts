import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { nodeOptionsOf } from '../../config/node-options.ts';
import { testServices, uniqueName } from '../../scripts/local-services/test-services.ts';
import { workflowTypes } from '../../src/contracts/pipeline.ts';
import type { RunReport } from '../../src/contracts/runs.ts';
import type { MetricPoint, RunRecord, Store } from '../../src/contracts/stores.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { createMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { registerNamespace } from '../workflows/workflow-server.ts';
import { childrenOf } from './process-table.ts';

const root = dirname(dirname(import.meta.dirname));

/** The programs of a worker process that a test may start and kill. */
export type Program = 'orchestrator' | 'trainer' | 'control';

/** Real worker processes on real servers, with a database, a namespace and an artifact folder of their own. */
export interface PipelineProcesses {
  readonly client: Client;
  readonly store: Store;
  readonly environment: Readonly<Record<string, string>>;
  start(program: Program): Promise<void>;
  /** SIGKILL to the program alone; its children must notice by themselves. */
  kill(program: Program): Promise<void>;
  /** SIGTERM and the wait for a good end. @returns the exit code. */
  end(program: Program): Promise<number | null>;
  /** Pids of the numeric children of the programs that run. */
  numericChildren(): number[];
  /** Pids of the policy processes of the programs that run. */
  policyProcesses(): number[];
  /** The folder with the programs' logs. */
  readonly folder: string;
  startRun(spec: unknown, runId?: string): Promise<StartedRun>;
  stop(): Promise<void>;
}

export interface StartedRun {
  readonly runId: string;
  readonly handle: WorkflowHandle;
  result(): Promise<RunReport>;
  record(): Promise<RunRecord | null>;
  /** Resolves once the condition holds for the stored points of the run. */
  untilPoints(condition: (points: readonly MetricPoint[]) => boolean): Promise<void>;
  /** Resolves once the run is in `step`. */
  untilStep(step: string): Promise<void>;
}

/** Servers that are not the shared ones: what a test that stops servers brings. */
export interface Servers {
  readonly temporalAddress: string;
  readonly mongoUrl: string;
}

/** @param further settings of the programs beside those that every one needs. */
export async function startPipelineProcesses(
  own?: Servers,
  further: Readonly<Record<string, string>> = {},
): Promise<PipelineProcesses> {
  const shared = own === undefined ? await testServices() : null;
  const { temporalAddress, mongoUrl } = own ?? shared!;
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-pipeline-'));
  const database = uniqueName('pipeline');
  const namespace = own === undefined ? uniqueName('pipeline') : 'default';
  const connection = await Connection.connect({ address: temporalAddress });
  if (own === undefined) await registerNamespace(connection, namespace);
  const client = new Client({ connection, namespace });
  const store = createMongoStore({ url: mongoUrl, database });
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    MONGODB_URL: mongoUrl,
    COXSWAIN_DATABASE: database,
    COXSWAIN_ARTIFACTS: join(folder, 'artifacts'),
    COXSWAIN_DATA_FOLDERS: `traces=${folder}`,
    COXSWAIN_SLOTS: '2',
    ...further,
  };
  const programs = new Map<Program, ChildProcess>();

  const start = async (program: Program): Promise<void> => {
    const log = createWriteStream(join(folder, `${program}.log`), { flags: 'a' });
    const child = spawn(process.execPath, [...nodeOptionsOf(program), join(root, 'workers', `${program}.ts`)], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child.stdout!.pipe(log, { end: false });
    child.stderr!.pipe(log, { end: false });
    programs.set(program, child);
    const ready = once(child, 'message').then(() => null);
    const ended = once(child, 'exit').then(([code]) => code as number);
    const code = await Promise.race([ready, ended]);
    if (code !== null) throw new Error(`${program} ended with ${code}: ${readFileSync(log.path, 'utf8').slice(-2000)}`);
  };
  const pids = (): Set<number | undefined> => new Set([...programs.values()].map(({ pid }) => pid));
  const finish = async (program: Program, signal: NodeJS.Signals): Promise<number | null> => {
    const child = programs.get(program)!;
    programs.delete(program);
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  };

  return {
    client,
    store,
    environment,
    start,
    kill: async (program) => void (await finish(program, 'SIGKILL')),
    end: (program) => finish(program, 'SIGTERM'),
    numericChildren: () => childrenOf(pids(), join('workers', 'numeric', 'child')),
    policyProcesses: () => childrenOf(pids(), join('workers', 'policy', 'policy-process')),
    folder,
    async startRun(spec, runId = uniqueName('run')) {
      const options = { taskQueue: taskQueues.orchestration, workflowId: runId, args: [spec] };
      return startedRun(runId, await client.workflow.start(workflowTypes.pipeline, options), store);
    },
    async stop() {
      for (const program of [...programs.keys()]) await finish(program, 'SIGTERM');
      await store.close();
      await connection.close();
      await shared?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startedRun(runId: string, handle: WorkflowHandle, store: Store): StartedRun {
  const record = (): Promise<RunRecord | null> => store.runs.getRun(runId);
  return {
    runId,
    handle,
    result: () => handle.result() as Promise<RunReport>,
    record,
    untilPoints: (condition) => until(async () => condition(await store.metrics.readPoints({ runId, limit: 10_000 }))),
    untilStep: (step) => until(async () => (await record())?.step === step),
  };
}

/** Repeats `condition` until it holds; the test's own time limit bounds it. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}
