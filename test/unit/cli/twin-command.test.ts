import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { freePorts } from '../../../scripts/local-services/free-port.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { onlineBoutiqueApplication } from '../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { clusterState } from '../twin-load/cluster-states.ts';
import { createCliFixture } from './cli-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-cli-twin-'));
after(() => rmSync(folder, { recursive: true }));

interface Printed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly replicas?: number;
    readonly template?: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly Container[] };
    };
  };
}

interface Container {
  readonly image: string;
  readonly resources: { readonly requests: { readonly cpu: string }; readonly limits: { readonly cpu: string } };
}

async function manifests(...args: string[]): Promise<Printed[]> {
  const { code, output, errors } = await createCliFixture().coxswain('twin', 'manifests', ...args);
  assert.deepEqual([code, errors], [0, '']);
  return parseAllDocuments(output).map((document) => document.toJS() as Printed);
}

test('twin manifests prints what the application is made of, with requests and limits from its data', async () => {
  const printed = await manifests('--namespace', 'shop', '--image', 'pause:1');
  const names = onlineBoutiqueApplication.services.map(({ name }) => name);
  const of = (kind: string) => printed.filter((one) => one.kind === kind);
  assert.deepEqual(
    of('Namespace').map(({ metadata }) => metadata.name),
    ['shop'],
  );
  for (const kind of ['Deployment', 'Service']) {
    assert.deepEqual(
      of(kind).map(({ metadata }) => metadata.name),
      names,
    );
    assert.ok(of(kind).every(({ metadata }) => metadata.namespace === 'shop'));
  }
  assert.equal(of('PodDisruptionBudget').length, 0);
  const [frontend] = of('Deployment');
  const [{ image, resources }] = frontend.spec.template!.spec.containers;
  assert.deepEqual(
    [image, frontend.spec.replicas, resources.requests.cpu, resources.limits.cpu],
    ['pause:1', 1, '200m', '200m'],
  );
});

test('replicas follow the load that is named, and budgets come when asked for', async () => {
  const printed = await manifests('--replicas-for', '60', '--disruption-budgets');
  const replicas = (name: string) =>
    printed.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name)?.spec.replicas;
  // 60 requests/s × 0.04 s over two servers a pod at 60 % are two pods.
  assert.equal(replicas('frontend'), 2);
  assert.equal(printed.filter(({ kind }) => kind === 'PodDisruptionBudget').length, 11);
  const [frontend] = (await manifests('--speed', '10')).filter(({ kind }) => kind === 'Deployment');
  // The application's frontend takes 20 s to start.
  assert.deepEqual(frontend.spec.template!.metadata.annotations, { 'pod-ready.stage.kwok.x-k8s.io/delay': '2000ms' });
});

test('twin plays until Ctrl-C, says where, and that the namespace is empty', async () => {
  const cli = createCliFixture();
  cli.cluster = { read: async () => clusterState({}) };
  setTimeout(() => cli.interrupt.abort(), 300);
  const { code, output, errors } = await cli.coxswain('twin', '-n', 'shop', '--port', '0', '--control-port', '0');
  assert.equal(code, 0);
  assert.match(
    output,
    /^Playing on namespace shop\. Stop with Ctrl-C\.\nMetrics: http:\/\/127\.0\.0\.1:\d+\/metrics\nControls: http:\/\/127\.0\.0\.1:\d+ /,
  );
  assert.match(
    errors,
    /Namespace shop has no workload of the application yet\. Create them with:\n {2}coxswain twin manifests --namespace shop \| kubectl apply -f -/,
  );
});

test('a generator, a trace and crowds shape the load', async () => {
  const trace = join(folder, 'trace.csv');
  writeFileSync(trace, '600\n1200\n');
  for (const [args, rate] of [
    [['--trace', trace, '--bin', '60', '--scale', '2'], 20],
    [['--rate', '30', '--flash-crowd', 'peak=3,at=0,minutes=5'], 30],
    [
      [
        '--generator',
        '{"meanRequestsPerSecond": 50, "dailyAmplitude": 0, "weekendDrop": 0, "noise": 0, "flashCrowdsPerDay": 0, "days": 1}',
      ],
      50,
    ],
  ] as const) {
    const cli = createCliFixture();
    cli.cluster = { read: async () => clusterState({}) };
    let state: { requestsPerSecond: number } | null = null;
    const [port] = await freePorts([undefined]);
    const ended = cli.coxswain('twin', '-n', 'shop', '--port', String(port), ...args);
    for (let attempt = 0; state === null && attempt < 100; attempt++) {
      await sleep(50);
      state = await fetch(`http://127.0.0.1:${port}/state`).then(
        async (response) => (await response.json()) as { requestsPerSecond: number },
        () => null,
      );
    }
    cli.interrupt.abort();
    assert.equal((await ended).code, 0);
    assert.ok(Math.abs(state!.requestsPerSecond / rate - 1) < 0.2, `${args.join(' ')}: ${state!.requestsPerSecond}`);
  }
});

test('bad input exits with 2 and says what to do; a cluster that is not there with 3', async () => {
  const cli = createCliFixture();
  const file = join(folder, 'application.json');
  writeFileSync(file, '{"services": []}');
  for (const [args, message] of [
    [[], /Say where the workloads are: --namespace <name>/],
    [['-n', 'shop', '--rate', '5', '--trace', 'x'], /Give one of --rate and --trace, not both/],
    [['-n', 'shop', '--rate', 'many'], /--rate: found many; allowed: a number from 0 to 1000000/],
    [['-n', 'shop', '--speed', '0'], /--speed: found 0; allowed: a number from 0.1 to 60/],
    [['-n', 'shop', '--flash-crowd', 'peak=3'], /--flash-crowd: found peak=3; allowed: peak=3,at=120,minutes=5/],
    [['-n', 'shop', '--generator', '{"days": "few"}'], /collect\.source\.days/],
    [['-n', 'shop', '--ingress', 'gateway'], /--ingress: found gateway; allowed: namespace\/name/],
    [['-n', 'shop', '--trace', join(folder, 'absent.csv')], /absent\.csv: cannot be read/],
    [['-n', 'shop', '--application', file], /requests must be a list/],
    [['-n', 'shop', '--application', join(folder, 'absent.json')], /absent\.json: cannot be read \(ENOENT\)/],
  ] as const) {
    const { code, errors } = await cli.coxswain('twin', ...args);
    assert.deepEqual([code, message.test(errors)], [2, true], errors);
  }
  cli.cluster = {
    read: async () => {
      throw new CoxswainError('CLUSTER_UNAVAILABLE', 'The API server does not answer.');
    },
  };
  const { code, errors } = await cli.coxswain('twin', '-n', 'shop', '--port', '0');
  assert.deepEqual([code, errors], [3, 'coxswain: CLUSTER_UNAVAILABLE: The API server does not answer.\n']);
});
