import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { CacheEntry } from './binary-cache.ts';
import { cacheFolder, fillCache, findCached, withCacheLock } from './binary-cache.ts';
import { buildWithGo } from './go-build.ts';
import type { GoBuild } from './go-build.ts';
import { cleanUpLeftovers } from './leftovers.ts';
import { obtainProgram } from './obtain-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';
import { findOnPath } from './run-to-end.ts';

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

/** A part of the control plane: one Go module, one or several programs. */
interface Part {
  readonly what: string;
  readonly entry: CacheEntry;
  readonly builds: readonly (GoBuild & { readonly output: string })[];
  /** Puts further files beside the programs. */
  readonly complete?: (folder: string) => Promise<void>;
}

const kubernetes: Part = {
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
};

const etcd: Part = {
  what: 'etcd',
  entry: { key: `etcd-${etcdVersion}`, program: 'etcd' },
  builds: [{ module: 'etcd', package: 'go.etcd.io/etcd/server/v3', output: 'etcd' }],
};

const kwok: Part = {
  what: 'KWOK',
  entry: { key: `kwok-${kwokVersion}`, program: 'kwok' },
  builds: [{ module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok', output: 'kwok' }],
  complete: copyStages,
};

/** Stages of KWOK's module that make nodes ready and keep them so, and let pods run and go. */
const stageFiles = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat/node-heartbeat.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
];

const wayOut =
  'Ways out: install Go (1.25 or newer) and start again; the build takes about six minutes, once for this user.';

/**
 * The programs of a real control plane without kubelets: from the cache, or built from their Go modules. Throws an error
 * that lists what was tried and the ways out.
 */
export async function obtainKubernetes(options: ObtainOptions = {}): Promise<KubernetesPrograms> {
  const apiServer = await obtainPart(kubernetes, options);
  const etcdProgram = await obtainPart(etcd, options);
  const kwokProgram = await obtainPart(kwok, options);
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

async function obtainPart(
  part: Part,
  { cache = cacheFolder(), report = () => undefined }: ObtainOptions,
): Promise<string> {
  const { what, entry } = part;
  const found = findCached(cache, entry);
  if (found !== undefined) return found;
  return withCacheLock(cache, entry.key, report, async () => {
    await cleanUpLeftovers(join(cache, 'records'));
    const sources = [
      { name: 'the cache', obtain: async () => fromCache(cache, entry) },
      { name: `a build of its Go module (${entry.key})`, obtain: () => build(part, cache, report) },
    ];
    return obtainProgram(what, sources, wayOut);
  });
}

/** The cache is asked again: another process may have filled it meanwhile. */
function fromCache(cache: string, entry: CacheEntry): string {
  const path = findCached(cache, entry);
  if (path === undefined) throw new Error(`nothing at ${cache} for ${entry.key}`);
  return path;
}

function build(
  { what, entry, builds, complete }: Part,
  cache: string,
  report: (line: string) => void,
): Promise<string> {
  report(`Building ${what.replace(/^The /, 'the ')} from its Go module (some minutes, once for this user) …`);
  return fillCache(cache, entry, async (folder) => {
    for (const { output, ...goBuild } of builds) await buildWithGo(goBuild, join(folder, output), cache);
    await complete?.(folder);
  });
}

/** The stages come with KWOK's module, at the version that go.mod pins. */
async function copyStages(folder: string): Promise<void> {
  const go = findOnPath('go');
  if (go === undefined) throw new Error('there is no `go` on PATH');
  const { stdout } = await promisify(execFile)(go, ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok'], {
    cwd: join(import.meta.dirname, 'kwok'),
    env: { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=readonly' },
    timeout: 60_000,
  });
  for (const file of stageFiles) {
    copyFileSync(join(stdout.trim(), 'kustomize', 'stage', file), join(folder, file.replaceAll('/', '-')));
  }
}
