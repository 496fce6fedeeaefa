import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { sharedWithinScrape } from './shared-within-scrape.ts';

/** How long a scrape waits for the Temporal server. */
const askTimeoutMs = 2_000;

/** What waits in a task queue for a worker. */
interface Backlog {
  readonly tasks: number;
  /** Of the oldest task. */
  readonly ageSeconds: number;
}

/**
 * Measures, when Prometheus asks, how many activities wait in these task queues and how long the oldest has waited, as
 * the Temporal server tells it. While the server does not answer the series are absent.
 */
export function addBacklogMetrics(registry: Registry, client: Client, taskQueues: readonly string[]): void {
  const backlogs = sharedWithinScrape(() =>
    Promise.all(taskQueues.map((queue) => backlogOf(client, queue).catch(() => null))),
  );
  const gauge = (name: string, help: string, valueOf: (backlog: Backlog) => number): Gauge<'task_queue'> =>
    new Gauge({
      name,
      help,
      labelNames: ['task_queue'],
      registers: [registry],
      async collect() {
        const answers = await backlogs();
        this.reset();
        answers.forEach((backlog, index) => {
          if (backlog !== null) this.set({ task_queue: taskQueues[index] }, valueOf(backlog));
        });
      },
    });
  gauge(
    'coxswain_task_queue_backlog',
    'Activities that wait in the task queue for a worker, approximately.',
    (backlog) => backlog.tasks,
  );
  gauge(
    'coxswain_task_queue_backlog_age_seconds',
    'Age of the oldest activity that waits in the task queue for a worker; 0 when none waits.',
    (backlog) => backlog.ageSeconds,
  );
}

async function backlogOf(client: Client, taskQueue: string): Promise<Backlog> {
  const { stats } = await client.withDeadline(Date.now() + askTimeoutMs, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
      reportStats: true,
    }),
  );
  const age = stats?.approximateBacklogAge;
  return {
    tasks: Number(stats?.approximateBacklogCount ?? 0),
    ageSeconds: Number(age?.seconds ?? 0) + (age?.nanos ?? 0) / 1e9,
  };
}
