import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** What of a Temporal worker is measured. */
interface WatchedWorker {
  readonly options: { readonly taskQueue: string };
  getStatus(): { readonly runState: string; readonly numInFlightActivities: number };
}

/** What a worker process measures of itself. */
export interface WorkerMetrics {
  readonly registry: Registry;
  /** Measures these workers from now on. */
  watch(workers: readonly WatchedWorker[]): void;
}

/** {@link WorkerMetrics} in a registry of its own. */
export function createWorkerMetrics(): WorkerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return { registry, watch: (workers) => addGauges(registry, workers) };
}

function addGauges(registry: Registry, workers: readonly WatchedWorker[]): void {
  const gauge = (name: string, help: string, valueOf: (worker: WatchedWorker) => number): Gauge<'task_queue'> =>
    new Gauge({
      name,
      help,
      labelNames: ['task_queue'],
      registers: [registry],
      collect() {
        for (const worker of workers) this.set({ task_queue: worker.options.taskQueue }, valueOf(worker));
      },
    });
  gauge('coxswain_worker_polling', '1 while this process takes work from the task queue, else 0.', (worker) =>
    worker.getStatus().runState === 'RUNNING' ? 1 : 0,
  );
  gauge(
    'coxswain_worker_activities',
    'Activities of the task queue that run in this process, for example trainings.',
    (worker) => worker.getStatus().numInFlightActivities,
  );
}
