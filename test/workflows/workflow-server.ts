import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { Worker } from '@temporalio/worker';
import { testServices, uniqueName } from '../../scripts/local-services/test-services.ts';
import { ensureSearchAttributes } from '../../workers/search-attributes.ts';

/** The real test server, seen from a namespace of one's own that has our search attributes. */
export interface WorkflowServer {
  readonly client: Client;
  /** For workers. */
  readonly native: NativeConnection;
  readonly namespace: string;
  /** host:port, for workers in processes of their own. */
  readonly address: string;
  close(): Promise<void>;
}

/** Workers that run until {@link stopWorkers}. */
export interface RunningWorkers {
  readonly workers: readonly Worker[];
  readonly ended: Promise<unknown>;
}

export async function openWorkflowServer(): Promise<WorkflowServer> {
  installQuietRuntime();
  const services = await testServices();
  const connection = await Connection.connect({ address: services.temporalAddress });
  const namespace = uniqueName('workflows');
  await registerNamespace(connection, namespace);
  await ensureSearchAttributes(connection, namespace);
  const native = await NativeConnection.connect({ address: services.temporalAddress });
  return {
    client: new Client({ connection, namespace }),
    native,
    namespace,
    address: services.temporalAddress,
    async close() {
      await native.close();
      await connection.close();
      await services.stop();
    },
  };
}

let installed = false;

/** Workers' news would drown the tests'. Once a process. */
function installQuietRuntime(): void {
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;
}

/** Stops all of them, and empties the list. */
export async function stopWorkers(running: RunningWorkers[]): Promise<void> {
  const all = running.splice(0);
  for (const { workers } of all) for (const worker of workers) worker.shutdown();
  await Promise.all(all.map(({ ended }) => ended));
}

/** Registers a namespace and waits until it is there. */
export async function registerNamespace(connection: Connection, namespace: string): Promise<void> {
  const day = { seconds: 24 * 3600 } as never;
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
  for (let attempt = 0; attempt < 100; attempt++) {
    const known = await connection.operatorService.listSearchAttributes({ namespace }).catch(() => null);
    if (known !== null) return;
    await sleep(100);
  }
  throw new Error(`The namespace ${namespace} did not appear.`);
}
