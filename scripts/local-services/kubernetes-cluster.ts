import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { freePorts, retryTakenPort } from './free-port.ts';
import type { KubernetesPrograms } from './obtain-kubernetes.ts';
import { startOwnedProgram } from './owned-program.ts';
import type { OwnedProgram } from './owned-program.ts';
import { untilReady } from './readiness.ts';

/** Where a local control plane runs. */
export interface KubernetesClusterOptions {
  readonly programs: KubernetesPrograms;
  /** Holds etcd's data, keys, kubeconfig, logs/ and records/. */
  readonly dataFolder: string;
}

/** A real control plane on loopback: API server, controllers, scheduler, and nodes that KWOK plays. */
export interface KubernetesCluster {
  readonly url: string;
  /** Path of a kubeconfig with all rights. */
  readonly kubeconfig: string;
  /** Of the user with all rights. */
  readonly token: string;
  /** PEM of the authority that signed the API server's certificate. */
  readonly certificateAuthority: string;
  /** Its programs, the API server's among them, for tests that take one away. */
  readonly programs: Readonly<Record<ClusterProgram, OwnedProgram>>;
  /** Starts the API server again on its port, after it was stopped. */
  restartApiServer(): Promise<void>;
  stop(): Promise<void>;
}

export type ClusterProgram = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok';

const startTimeoutMs = 120_000;
const loopback = '127.0.0.1';

/** Starts a control plane on free ports. Resolves when the API server is ready; throws with the end of a log if not. */
export function startKubernetesCluster(options: KubernetesClusterOptions): Promise<KubernetesCluster> {
  return retryTakenPort(() => start(options));
}

async function start({ programs, dataFolder }: KubernetesClusterOptions): Promise<KubernetesCluster> {
  const [etcdPort, etcdPeerPort, apiPort] = await freePorts([undefined, undefined, undefined]);
  const files = writeSecrets(dataFolder);
  const started: Partial<Record<ClusterProgram, OwnedProgram>> = {};
  const run = async (name: ClusterProgram, command: string, args: readonly string[]): Promise<OwnedProgram> => {
    const program = await startOwnedProgram({
      name,
      command,
      args,
      workingFolder: dataFolder,
      logFile: join(dataFolder, 'logs', `${name}.log`),
      recordsFolder: join(dataFolder, 'records'),
      stopTimeoutMs: 5_000,
    });
    started[name] = program;
    return program;
  };
  const stop = async (): Promise<void> => {
    const order: ClusterProgram[] = ['kwok', 'kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'];
    for (const name of order) await started[name]?.stop();
  };
  const url = `https://${loopback}:${apiPort}`;
  const runApiServer = async (): Promise<void> => {
    const program = await run(
      'kube-apiserver',
      programs.apiServer,
      apiServerArguments(files, dataFolder, etcdPort, apiPort),
    );
    await untilReady('The Kubernetes API server', program, () => isReady(url, files.token), startTimeoutMs);
  };
  try {
    const etcd = await run('etcd', programs.etcd, etcdArguments(dataFolder, etcdPort, etcdPeerPort));
    await untilReady('etcd', etcd, () => isHealthy(`http://${loopback}:${etcdPort}/health`), startTimeoutMs);
    await runApiServer();
    const certificateAuthority = readFileSync(join(dataFolder, 'certificates', 'apiserver.crt'), 'utf8');
    writeFileSync(files.kubeconfig, kubeconfigOf(url, files.token, certificateAuthority), { mode: 0o600 });
    await run('kube-controller-manager', programs.controllerManager, [
      `--kubeconfig=${files.kubeconfig}`,
      `--service-account-private-key-file=${files.privateKey}`,
      // nodelifecycle takes the not-ready taint off: without it every pod stays Pending.
      '--controllers=*,-nodeipam',
      ...['--leader-elect=false', '--secure-port=0', '--use-service-account-credentials=false'],
    ]);
    await run('kube-scheduler', programs.scheduler, [
      ...[`--kubeconfig=${files.kubeconfig}`, '--leader-elect=false', '--secure-port=0'],
    ]);
    await run('kwok', programs.kwok, [
      ...[`--kubeconfig=${files.kubeconfig}`, '--manage-all-nodes=true', '--cidr=10.0.0.1/16', '--node-ip=10.0.0.1'],
      ...programs.kwokStages.map((stage) => `--config=${stage}`),
    ]);
    return {
      url,
      kubeconfig: files.kubeconfig,
      token: files.token,
      certificateAuthority,
      programs: started as Record<ClusterProgram, OwnedProgram>,
      restartApiServer: runApiServer,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface SecretFiles {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly tokens: string;
  readonly token: string;
  readonly kubeconfig: string;
}

/** Keys and a token of this cluster alone. */
function writeSecrets(folder: string): SecretFiles {
  mkdirSync(join(folder, 'certificates'), { recursive: true });
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const token = randomBytes(24).toString('hex');
  const files = {
    privateKey: join(folder, 'service-account.key'),
    publicKey: join(folder, 'service-account.pub'),
    tokens: join(folder, 'tokens.csv'),
    kubeconfig: join(folder, 'kubeconfig'),
  };
  writeFileSync(files.privateKey, privateKey, { mode: 0o600 });
  writeFileSync(files.publicKey, publicKey);
  writeFileSync(files.tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  return { ...files, token };
}

function etcdArguments(folder: string, port: number, peerPort: number): string[] {
  const client = `http://${loopback}:${port}`;
  const peer = `http://${loopback}:${peerPort}`;
  return [
    ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
    // Its data die with the cluster: waiting for the disk would only cost time.
    ...['--unsafe-no-fsync', '--log-level', 'warn'],
  ];
}

function apiServerArguments(files: SecretFiles, folder: string, etcdPort: number, port: number): string[] {
  return [
    `--etcd-servers=http://${loopback}:${etcdPort}`,
    ...[`--secure-port=${port}`, `--bind-address=${loopback}`, `--advertise-address=${loopback}`],
    ...[`--service-account-key-file=${files.publicKey}`, `--service-account-signing-key-file=${files.privateKey}`],
    ...['--service-account-issuer=https://kubernetes.default.svc', `--token-auth-file=${files.tokens}`],
    ...['--authorization-mode=RBAC', `--cert-dir=${join(folder, 'certificates')}`],
    ...['--service-cluster-ip-range=10.96.0.0/16', '--disable-admission-plugins=ServiceAccount'],
  ];
}

function kubeconfigOf(server: string, token: string, certificateAuthority: string): string {
  const ca = Buffer.from(certificateAuthority).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster: { server, 'certificate-authority-data': ca } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'local', context: { cluster: 'local', user: 'admin' } }],
    'current-context': 'local',
  });
}

async function isHealthy(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
}

/** Before its certificate can be read nobody can check it; what is asked here tells nobody anything. */
function isReady(url: string, token: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}/readyz`,
      { headers: { authorization: `Bearer ${token}` }, rejectUnauthorized: false, timeout: 1_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end();
  });
}
