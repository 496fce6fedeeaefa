import type { Client } from '@temporalio/client';
import { CoxswainError } from '../contracts/errors.ts';
import type { RunProgress, RunStatus } from '../contracts/runs.ts';
import type { MetricPoint, MetricQuery, RunQuery, Store } from '../contracts/stores.ts';
import type { ControlEngine } from './control-engine.ts';
import { createDeployments } from './deployments.ts';
import type { Deployments } from './deployments.ts';
import { createModelReader } from './model-reader.ts';
import type { ModelReader } from './model-reader.ts';
import type { RunEngine } from './run-engine.ts';
import { createRunFinder } from './run-finder.ts';
import { listRuns } from './run-list.ts';
import type { RunPage } from './run-list.ts';
import { watchRun } from './run-watch.ts';
import type { RunEvent, WatchOptions } from './run-watch.ts';
import { isOver, progressOfRun } from './run.ts';
import type { Run } from './run.ts';
import { startRun } from './start-run.ts';
import type { RunRequest, StartedRun } from './start-run.ts';
import { createTemporalCalls } from './temporal-calls.ts';
import type { TemporalLimits, TemporalSettings } from './temporal-calls.ts';
import { createTemporalControlEngine } from './temporal-control-engine.ts';
import { createTemporalEngine } from './temporal-engine.ts';

/** Metric points of a run. */
export interface MetricPage {
  /** All series of the run. */
  readonly series: readonly string[];
  /** Ordered by series, then step. */
  readonly points: readonly MetricPoint[];
  /** True when the limit cut the points off: read on one series at a time with `afterStep`. */
  readonly truncated: boolean;
}

/**
 * Coxswain from TypeScript: start runs, watch and steer them, read what they left; deploy policies and steer their loops.
 *
 * Every method may throw TEMPORAL_UNAVAILABLE or STORE_UNAVAILABLE, within about ten seconds; those that take a run id
 * RUN_NOT_FOUND.
 */
export interface CoxswainClient {
  /** See {@link startRun}. SPEC_INVALID, REQUEST_INVALID, RUN_CONFLICT. */
  startRun(request: RunRequest): Promise<StartedRun>;
  getRun(runId: string): Promise<Run>;
  /** See {@link listRuns}. */
  listRuns(query?: RunQuery): Promise<RunPage>;
  /** The workflow's own answer while it runs and a worker answers; else what the store knows. */
  progress(runId: string): Promise<RunProgress>;
  metrics(query: MetricQuery): Promise<MetricPage>;
  /** Events until the run's end; see {@link watchRun}. */
  watch(runId: string, options?: WatchOptions): AsyncGenerator<RunEvent, void>;
  /** Resolves to the run when it is over. Throws the signal's reason when it is aborted before. */
  waitForRun(runId: string, options?: Pick<WatchOptions, 'signal' | 'intervalMs' | 'patienceMs'>): Promise<Run>;
  /** Stops the work at its next checkpoint. RUN_FINISHED. */
  pause(runId: string): Promise<void>;
  /** RUN_FINISHED. */
  resume(runId: string): Promise<void>;
  /** Asks for the end; the run is cancelled within seconds. Nothing happens to a cancelled run. RUN_FINISHED for other ends. */
  cancel(runId: string): Promise<void>;
  readonly models: ModelReader;
  readonly deployments: Deployments;
  /** Resolves when Temporal answers. */
  pingTemporal(): Promise<void>;
  /** Closes what the client itself opened: the connection to Temporal, not the store. */
  close(): Promise<void>;
}

/** What a client is made of. */
export interface CoxswainClientOptions extends TemporalLimits {
  /** A client of Temporal, or where its server is. */
  readonly temporal: Client | TemporalSettings;
  readonly store: Store;
}

/** A {@link CoxswainClient}; connects at its first call. */
export function createCoxswainClient({ temporal, store, ...limits }: CoxswainClientOptions): CoxswainClient {
  const calls = createTemporalCalls(temporal, limits);
  return clientOn(createTemporalEngine(calls), createTemporalControlEngine(calls), store);
}

/** The client on any engines. */
export function clientOn(engine: RunEngine, controlEngine: ControlEngine, store: Store): CoxswainClient {
  const finder = createRunFinder(engine, store);
  const ports = { engine, store, finder };

  /** Does it while the run goes on; `goal` is the end that makes it unnecessary. */
  async function steer(runId: string, verb: string, act: () => Promise<boolean>, goal?: RunStatus): Promise<void> {
    const { run } = await finder.find(runId);
    if (!isOver(run.status) && (await act())) return;
    const { status } = (await finder.find(runId)).run;
    if (status !== goal) throw new CoxswainError('RUN_FINISHED', `Run ${runId} is ${status}, so it cannot be ${verb}.`);
  }

  return {
    startRun: (request) => startRun(ports, request),
    getRun: async (runId) => (await finder.find(runId)).run,
    listRuns: (query = {}) => listRuns(ports, query),
    async progress(runId) {
      const { run, state } = await finder.find(runId);
      const answer = isOver(run.status) || state === null ? null : await engine.queryProgress(runId);
      return answer ?? progressOfRun(run);
    },
    async metrics(query) {
      const limit = query.limit ?? 1000;
      const [series, points] = await Promise.all([
        store.metrics.listSeries(query.runId),
        store.metrics.readPoints({ ...query, limit }),
      ]);
      if (series.length === 0) await finder.find(query.runId);
      return { series, points, truncated: points.length === limit };
    },
    watch: (runId, options) => watchRun(ports, runId, options),
    async waitForRun(runId, options) {
      for await (const event of watchRun(ports, runId, { ...options, progress: false })) {
        if (event.type === 'end') return event.run;
      }
      options?.signal?.throwIfAborted();
      throw new CoxswainError('INTERNAL', `Watching run ${runId} ended without its end.`);
    },
    pause: (runId) => steer(runId, 'paused', () => engine.signal(runId, 'pause')),
    resume: (runId) => steer(runId, 'resumed', () => engine.signal(runId, 'resume')),
    cancel: (runId) => steer(runId, 'cancelled', () => engine.cancel(runId), 'cancelled'),
    models: createModelReader(store.models),
    deployments: createDeployments(controlEngine, store),
    pingTemporal: () => engine.ping(),
    close: () => engine.close(),
  };
}
