import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { freePorts, retryTakenPort } from './free-port.ts';
import type { ClusterAccess, ClusterUser, ServiceAccountIdentity } from './kubernetes-access.ts';
import {
  readCertificateAuthority,
  signServiceAccountToken,
  tokenIssuer,
  writeClusterAccess,
  writeKubeconfig,
} from './kubernetes-access.ts';
import type { KubernetesPrograms } from './obtain-kubernetes.ts';
import { startOwnedProgram } from './owned-program.ts';
import type { OwnedProgram } from './owned-program.ts';
import { untilReady } from './readiness.ts';

/** Where a local control plane runs. */
export interface KubernetesClusterOptions {
  readonly programs: KubernetesPrograms;
  /** An empty folder of its own: etcd's data, keys, kubeconfigs, logs/ and records/. */
  readonly dataFolder: string;
  /** How often Kubernetes's own autoscaler decides; its 15 seconds by default. */
  readonly autoscalerSyncSeconds?: number;
}

/** A real control plane on loopback: API server, controllers, scheduler, and nodes that KWOK plays. */
export interface KubernetesCluster {
  readonly url: string;
  /** Path of a kubeconfig with all rights. */
  readonly kubeconfig: string;
  /** Path of a kubeconfig of the user `limited`, who has no rights until somebody grants some. */
  readonly limitedKubeconfig: string;
  /** Bearer tokens of the users. */
  readonly tokens: Readonly<Record<ClusterUser, string>>;
  /** PEM of the authority that signed the API server's certificate. */
  readonly certificateAuthority: string;
  /** Path of the audit log: JSON, one line for each request that was not the control plane's own. */
  readonly auditLog: string;
  /** Its programs as they run now, the API server's among them, for tests that take one away. */
  readonly programs: Readonly<Record<ClusterProgram, OwnedProgram>>;
  /**
   * Starts the API server again on its port, whether it was ended or runs. Resolves when it is ready. The controllers, the
   * scheduler and KWOK start anew as well: after a minute without it they would look for it again only after another.
   */
  restartApiServer(): Promise<void>;
  /** See {@link signServiceAccountToken}. */
  signServiceAccountToken(account: ServiceAccountIdentity, livesSeconds: number): string;
  /** Ends everything; the data stay. */
  stop(): Promise<void>;
}

export type ClusterProgram = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok';

/** Those that keep asking the API server. */
const clientPrograms = [
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
] as const satisfies readonly ClusterProgram[];

const startTimeoutMs = 120_000;
const stopTimeoutMs = 5_000;
const loopback = '127.0.0.1';

/** Starts a control plane on free ports. Resolves when the API server is ready; throws with the end of a log if not. */
export function startKubernetesCluster(options: KubernetesClusterOptions): Promise<KubernetesCluster> {
  return retryTakenPort(() => start(options));
}

async function start(options: KubernetesClusterOptions): Promise<KubernetesCluster> {
  const { programs, dataFolder, autoscalerSyncSeconds = 15 } = options;
  const [etcdPort, etcdPeerPort, apiPort] = await freePorts([undefined, undefined, undefined]);
  const access = writeClusterAccess(dataFolder);
  const url = `https://${loopback}:${apiPort}`;
  const { run, started, stop } = programsIn(dataFolder);
  const runApiServer = async (): Promise<void> => {
    const program = await run('kube-apiserver', programs.apiServer, apiServerArguments(access, etcdPort, apiPort));
    await untilReady('The Kubernetes API server', program, () => isReady(url, access.tokens.admin), startTimeoutMs);
  };
  const kubeconfigOf = (user: ClusterUser): string => {
    const file = join(dataFolder, `${user}.kubeconfig`);
    writeKubeconfig(file, url, access.tokens[user], readCertificateAuthority(access));
    return file;
  };
  const runClients = async (kubeconfig: string): Promise<void> => {
    const controllerManager = [
      ...controllerManagerArguments(kubeconfig, access),
      `--horizontal-pod-autoscaler-sync-period=${autoscalerSyncSeconds}s`,
    ];
    await Promise.all([
      run('kube-controller-manager', programs.controllerManager, controllerManager),
      run('kube-scheduler', programs.scheduler, schedulerArguments(kubeconfig)),
      run('kwok', programs.kwok, kwokArguments(kubeconfig, writeStages(dataFolder, programs.kwokStages))),
    ]);
  };
  try {
    const etcd = await run('etcd', programs.etcd, etcdArguments(dataFolder, etcdPort, etcdPeerPort));
    await untilReady('etcd', etcd, () => isHealthy(`http://${loopback}:${etcdPort}/health`), startTimeoutMs);
    await runApiServer();
    await runClients(kubeconfigOf('control-plane'));
    return {
      url,
      kubeconfig: kubeconfigOf('admin'),
      limitedKubeconfig: kubeconfigOf('limited'),
      tokens: access.tokens,
      certificateAuthority: readCertificateAuthority(access),
      auditLog: access.auditLog,
      programs: started as Record<ClusterProgram, OwnedProgram>,
      restartApiServer: async () => {
        await started['kube-apiserver']?.stop();
        await runApiServer();
        await Promise.all(clientPrograms.map(async (name) => started[name]?.kill()));
        await runClients(kubeconfigOf('control-plane'));
      },
      signServiceAccountToken: (account, livesSeconds) => signServiceAccountToken(access, account, livesSeconds),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The programs of one control plane, by name; `stop` ends those that were started, those that use others first. */
function programsIn(dataFolder: string) {
  const started: Partial<Record<ClusterProgram, OwnedProgram>> = {};
  const run = async (name: ClusterProgram, command: string, args: readonly string[]): Promise<OwnedProgram> => {
    const program = await startOwnedProgram({
      name,
      command,
      args,
      workingFolder: dataFolder,
      logFile: join(dataFolder, 'logs', `${name}.log`),
      recordsFolder: join(dataFolder, 'records'),
      stopTimeoutMs,
    });
    started[name] = program;
    return program;
  };
  const stop = async (): Promise<void> => {
    await Promise.all([started.kwok?.stop(), started['kube-scheduler']?.stop()]);
    await started['kube-controller-manager']?.stop();
    await started['kube-apiserver']?.stop();
    await started.etcd?.stop();
  };
  return { started, run, stop };
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

function apiServerArguments(access: ClusterAccess, etcdPort: number, port: number): string[] {
  return [
    `--etcd-servers=http://${loopback}:${etcdPort}`,
    ...[`--secure-port=${port}`, `--bind-address=${loopback}`, `--advertise-address=${loopback}`],
    `--service-account-key-file=${access.publicKeyFile}`,
    `--service-account-signing-key-file=${access.privateKeyFile}`,
    ...[`--service-account-issuer=${tokenIssuer}`, `--token-auth-file=${access.tokensFile}`],
    ...['--authorization-mode=RBAC', `--cert-dir=${access.certificateFolder}`],
    ...[`--audit-policy-file=${access.auditPolicyFile}`, `--audit-log-path=${access.auditLog}`],
    // Nothing runs in the pods that could use a service account's token.
    ...['--service-cluster-ip-range=10.96.0.0/16', '--disable-admission-plugins=ServiceAccount'],
  ];
}

/** Requests a second that a client of the API server permits itself: its own 20 would make 2 000 pods take minutes. */
const clientRate = ['--kube-api-qps=1000', '--kube-api-burst=2000'];

const alone = ['--leader-elect=false', '--secure-port=0'];

function controllerManagerArguments(kubeconfig: string, { privateKeyFile }: ClusterAccess): string[] {
  return [
    ...[`--kubeconfig=${kubeconfig}`, ...alone, ...clientRate],
    ...[`--service-account-private-key-file=${privateKeyFile}`, '--use-service-account-credentials=false'],
    // nodelifecycle takes the not-ready taint off: without it every pod stays Pending.
    '--controllers=*,-nodeipam',
    // A busy machine, or an API server that a test takes away, must not make KWOK's nodes look lost.
    '--node-monitor-grace-period=10m',
  ];
}

function schedulerArguments(kubeconfig: string): string[] {
  return [`--kubeconfig=${kubeconfig}`, ...alone, ...clientRate];
}

function kwokArguments(kubeconfig: string, stages: readonly string[]): string[] {
  return [
    ...[`--kubeconfig=${kubeconfig}`, '--manage-all-nodes=true', '--cidr=10.0.0.1/16', '--node-ip=10.0.0.1'],
    ...stages.map((stage) => `--config=${stage}`),
  ];
}

/**
 * Annotation of a pod that says how long it takes from being scheduled until it runs, such as `5s`: nothing without it. KWOK's
 * slower stages read the same one.
 */
export const startDelayAnnotation = 'pod-ready.stage.kwok.x-k8s.io/delay';

/** KWOK's stages as this cluster uses them: pods start after the delay that they ask for. Returns their files. */
function writeStages(dataFolder: string, files: readonly string[]): string[] {
  return files.map((file) => {
    const stage = parse(readFileSync(file, 'utf8'));
    if (stage.metadata.name === 'pod-ready') {
      stage.spec.delay = { durationFrom: { expressionFrom: `.metadata.annotations["${startDelayAnnotation}"]` } };
    }
    const own = join(dataFolder, `kwok-${basename(file)}`);
    writeFileSync(own, JSON.stringify(stage));
    return own;
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
