import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { requireGo } from './go-build.ts';
import type { GoProgram } from './obtain-go-program.ts';
import { obtainGoProgram } from './obtain-go-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';

/** The pinned versions: the go.mod files beside this file name the same, and a test compares them. */
export const kubernetesVersion = '1.34.3';
export const etcdVersion = '3.6.6';
export const kwokVersion = '0.7.0';

/** Absolute paths of a control plane's programs. */
export interface KubernetesPrograms {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
  readonly scheduler: string;
  /** Plays the nodes: pods that are scheduled become Running, without containers. */
  readonly kwok: string;
  /** Files that tell KWOK how nodes and pods go on. */
  readonly kwokStages: readonly string[];
}

const wayOut = 'Ways out: install Go (1.25 or newer) and start again.';

const kubernetes: GoProgram = {
  what: 'The Kubernetes control plane',
  entry: { key: `kubernetes-${kubernetesVersion}`, program: 'kube-apiserver' },
  builds: ['kube-controller-manager', 'kube-scheduler', 'kube-apiserver'].map((output) => ({
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${output}`,
    // Without these it says version v0.0.0-master, which clients cannot compare.
    linkerFlags: [
      `-X k8s.io/component-base/version.gitVersion=v${kubernetesVersion}`,
      `-X k8s.io/component-base/version.gitMajor=${kubernetesVersion.split('.')[0]}`,
      `-X k8s.io/component-base/version.gitMinor=${kubernetesVersion.split('.')[1]}`,
    ].join(' '),
    output,
  })),
  buildTakes: 'about five minutes',
  wayOut,
};

const etcd: GoProgram = {
  what: 'Etcd',
  entry: { key: `etcd-${etcdVersion}`, program: 'etcd' },
  builds: [{ module: 'etcd', package: 'go.etcd.io/etcd/server/v3', output: 'etcd' }],
  buildTakes: 'under a minute',
  wayOut,
};

const kwok: GoProgram = {
  what: 'KWOK',
  entry: { key: `kwok-${kwokVersion}`, program: 'kwok' },
  builds: [{ module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok', output: 'kwok' }],
  complete: copyStages,
  buildTakes: 'about a minute',
  wayOut,
};

/** Stages of KWOK's module that make nodes ready and keep them so, and let pods run and go. */
const stageFiles = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat/node-heartbeat.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
];

/**
 * The programs of a real control plane without kubelets: from the cache, or built from their Go modules. Throws an error
 * that lists what was tried and the ways out.
 */
export async function obtainKubernetes(options: ObtainOptions = {}): Promise<KubernetesPrograms> {
  const apiServer = await obtainGoProgram(kubernetes, options);
  const etcdProgram = await obtainGoProgram(etcd, options);
  const kwokProgram = await obtainGoProgram(kwok, options);
  const folder = dirname(kwokProgram);
  const stages = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return {
    etcd: etcdProgram,
    apiServer,
    controllerManager: join(dirname(apiServer), 'kube-controller-manager'),
    scheduler: join(dirname(apiServer), 'kube-scheduler'),
    kwok: kwokProgram,
    kwokStages: stages.sort().map((name) => join(folder, name)),
  };
}

/** The stages come with KWOK's module, at the version that go.mod pins. */
async function copyStages(folder: string): Promise<void> {
  const { stdout } = await promisify(execFile)(requireGo(), ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok'], {
    cwd: join(import.meta.dirname, 'kwok'),
    env: { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=readonly' },
    timeout: 60_000,
  });
  for (const file of stageFiles) {
    copyFileSync(join(stdout.trim(), 'kustomize', 'stage', file), join(folder, file.replaceAll('/', '-')));
  }
}
