/** The coxswain command: the one place of src/cli that wires adapters in. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ClusterReader } from '../contracts/cluster.ts';
import type { ClusterAccessOptions, Session } from './command-context.ts';
import { runProgram } from './program.ts';

/** How long a person waits for a server that does not answer. */
const callTimeoutMs = 6_000;

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A second wish is not a polite one.
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort();
  });
}
// A reader that has seen enough, as `head` has, is no error.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runProgram(
  {
    output: process.stdout,
    errors: process.stderr,
    readInput: () => text(process.stdin),
    interrupted: interrupt.signal,
    open: openSession,
    openCluster,
  },
  process.argv.slice(2),
);
// Sockets that are being closed must not hold the command up.
process.stdout.write('', () => process.exit());

/**
 * A session on the services that the environment names, else those of a running start, else the usual ports. The clients
 * of Temporal and MongoDB take longer to load than most commands to run, so only a command that talks to them loads them.
 */
async function openSession(): Promise<Session> {
  const { loadConfig } = await import('../../config/index.ts');
  const { findLocalServices, withLocalServices } = await import('../../config/local-services.ts');
  const { temporalConnection } = await import('../../config/temporal-connection.ts');
  const { createCoxswainClient } = await import('../client/coxswain-client.ts');
  const { createMongoStore } = await import('../store/mongo/mongo-store.ts');
  const services = findLocalServices();
  const config = loadConfig(withLocalServices(services));
  const { address, namespace } = config.temporal;
  const store = createMongoStore({ url: config.mongo.url.reveal(), database: config.mongo.database });
  const temporal = { connection: temporalConnection(config.temporal), namespace };
  const client = createCoxswainClient({ temporal, store, callTimeoutMs });
  const { temporalUiUrl, apiUrl } = services?.temporalAddress === address ? services : {};
  return {
    client,
    gitSha: config.client.gitSha,
    addresses: { temporalUiUrl, apiUrl },
    async replay(deployment, range) {
      // ONNX Runtime, and the artifact store, for this command alone.
      const { openArtifacts } = await import('../../workers/open-artifacts.ts');
      const { replayDeployment } = await import('../control/replay-deployment.ts');
      return replayDeployment({ control: store.control, artifacts: await openArtifacts(config) }, deployment, range);
    },
    async close() {
      await Promise.all([client.close(), store.close()]);
    },
  };
}

/** A cluster by the kubeconfig that is named, that of the environment, that of the user, or the pod's service account. */
async function openCluster({ kubeconfig, context, namespaces }: ClusterAccessOptions): Promise<ClusterReader> {
  const { loadConfig } = await import('../../config/index.ts');
  const { createClusterReader } = await import('../cluster/kubernetes/cluster-reader.ts');
  const { createKubernetesClient } = await import('../cluster/kubernetes/kubernetes-client.ts');
  const { cluster } = loadConfig();
  const access =
    kubeconfig === null && cluster.kubeconfig !== null
      ? { kubeconfig: cluster.kubeconfig, context: context ?? cluster.context }
      : { kubeconfig: kubeconfig === null ? usersKubeconfig() : resolve(kubeconfig), context };
  return createClusterReader(createKubernetesClient({ ...access, namespaces }));
}

/** Where kubectl keeps it; null when there is none. */
function usersKubeconfig(): string | null {
  const path = join(homedir(), '.kube', 'config');
  return existsSync(path) ? path : null;
}
