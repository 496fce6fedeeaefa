import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';

/** A worker's long poll takes a minute; one that has not asked for longer is gone. */
const freshMs = 75_000;

/** Tells whether a worker asks `taskQueue` for activities now: the server keeps the names of those that are gone for minutes. */
export async function isPolled(client: Client, taskQueue: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
  });
  return (pollers ?? []).some(
    ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < freshMs,
  );
}
