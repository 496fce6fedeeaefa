import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { Registry } from 'prom-client';
import { settings } from '../../config/settings.ts';
import type { Setting } from '../../config/setting.ts';
import { programsOrSkip } from '../../scripts/local-services/programs-or-skip.ts';
import { requiredRights } from '../../src/cluster/kubernetes/required-rights.ts';
import type { RightFeature } from '../../src/cluster/kubernetes/required-rights.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { addBacklogMetrics } from '../../workers/backlog-metrics.ts';
import { addControlMetrics } from '../../workers/control-metrics.ts';
import { shutdownTimes } from '../../workers/shutdown-times.ts';
import { createWorkerMetrics } from '../../workers/worker-metrics.ts';
import { chartFolder, createHelm, release, valueSets } from './chart.ts';
import type { ChartObject, ChartValues } from './chart.ts';

const helmOrSkip = await programsOrSkip('helm');
const prometheusOrSkip = await programsOrSkip('prometheus');
const { skip } = helmOrSkip;
const root = join(import.meta.dirname, '..', '..');
const sets = Object.entries<ChartValues>(valueSets);
const everything: ChartValues = valueSets['everything switched on'];

const helm = helmOrSkip.programs === undefined ? null : createHelm(helmOrSkip.programs);
after(() => helm?.dispose());

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly [field: string]: unknown;
}

function ofKind(objects: readonly ChartObject[], kind: string): ChartObject[] {
  return objects.filter((object) => object.kind === kind);
}

function containersOf(objects: readonly ChartObject[]): Container[] {
  return ofKind(objects, 'Deployment').map(({ spec }) => spec.template.spec.containers[0] as Container);
}

/** Rendered once a set. */
const rendered = new Map<ChartValues, Promise<ChartObject[]>>();
function render(values: ChartValues): Promise<ChartObject[]> {
  if (!rendered.has(values)) rendered.set(values, helm!.render(values));
  return rendered.get(values)!;
}

describe('the chart by itself', { skip }, () => {
  for (const [name, values] of sets) {
    test(`passes helm's strict lint with ${name}`, async () => {
      const { code, stdout, stderr } = await helm!.run(['lint', '--strict', chartFolder], values);
      assert.equal(code, 0, stdout + stderr);
    });
  }

  test('deploys the programs that the values ask for, from images of their names', async () => {
    const programs = async (values: ChartValues) =>
      (await render(values)).filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name);
    assert.deepEqual(await programs({}), ['rel-coxswain-api', 'rel-coxswain-orchestrator', 'rel-coxswain-trainer-cpu']);
    assert.deepEqual(await programs(valueSets['trainings alone, nothing around them']), [
      'trainings-orchestrator',
      'trainings-trainer-cpu',
    ]);
    const containers = containersOf(await render(everything));
    assert.deepEqual(
      containers.map(({ name, image }) => [name, image]),
      ['api', 'control', 'orchestrator', 'trainer-cpu', 'trainer-gpu'].map((name) => [
        name,
        `images.example.com/team/coxswain-${name}:v1`,
      ]),
    );
  });

  test('starts programs that exist', async () => {
    for (const { args } of containersOf(await render(everything))) {
      const source = join(root, args[0].replace(/^dist\//, '').replace(/\.js$/, '.ts'));
      assert.ok(existsSync(source), `${args[0]}: there is no ${source}`);
    }
  });
});

describe('settings', { skip }, () => {
  const known = settings as Readonly<Record<string, Setting<unknown, string | null>>>;

  test('every variable is a setting; a secret comes from a mounted file of its own and never as a value', async () => {
    for (const [name, values] of sets) {
      for (const deployment of ofKind(await render(values), 'Deployment')) {
        const pod = deployment.spec.template.spec;
        const { env, volumeMounts } = pod.containers[0];
        const folder = volumeMounts.find((mount: { name: string }) => mount.name === 'secrets').mountPath;
        const { sources } = pod.volumes.find((volume: { name: string }) => volume.name === 'secrets').projected;
        const mounted = sources.flatMap(({ secret }: { secret: { items: { path: string }[] } }) =>
          secret.items.map(({ path }) => `${folder}/${path}`),
        );
        const named = env
          .map(({ value }: { value?: string }) => value)
          .filter((value?: string) => value?.startsWith(folder));
        assert.deepEqual(named.toSorted(), mounted.toSorted(), `${name}, ${deployment.metadata.name}`);
        for (const { name: variable, value } of env) {
          const setting = variable.replace(/_FILE$/, '');
          assert.ok(setting in known, `${name}: ${variable} is no setting`);
          assert.equal(variable.endsWith('_FILE'), known[setting].secret === true, variable);
          if (value !== undefined && !variable.endsWith('_FILE') && !variable.endsWith('_PATH'))
            assert.doesNotThrow(() => known[setting].schema.parse(value), `${variable}: ${value}`);
        }
      }
    }
  });

  /** Settings that a cluster has no use for. */
  const leftOut = {
    COXSWAIN_GIT_SHA: 'is read by the command alone',
    COXSWAIN_KUBECONFIG: 'a pod has its service account',
    COXSWAIN_KUBE_CONTEXT: 'goes with a kubeconfig',
  };

  test('every setting can be set by a value, but for those that a cluster has no use for', async () => {
    const variables = containersOf(await render(everything)).flatMap(({ env }) =>
      env.map(({ name }) => name.replace(/_FILE$/, '')),
    );
    const missing = Object.keys(known).filter((name) => !variables.includes(name) && !(name in leftOut));
    assert.deepEqual(missing, []);
  });

  test('a program gets the secrets that it needs and no others', async () => {
    const common = [
      'MONGODB_URL_FILE',
      'TEMPORAL_API_KEY_FILE',
      'TEMPORAL_TLS_CLIENT_CERT_PATH',
      'TEMPORAL_TLS_CLIENT_KEY_PATH',
      'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
    ];
    const s3 = ['AWS_SECRET_ACCESS_KEY_FILE', 'AWS_SESSION_TOKEN_FILE'];
    const secrets = Object.fromEntries(
      containersOf(await render(everything)).map(({ name, env }) => [
        name,
        env.map((variable) => variable.name).filter((variable) => /_FILE$|_PATH$/.test(variable)),
      ]),
    );
    assert.deepEqual(Object.fromEntries(Object.entries(secrets).map(([name, list]) => [name, list.toSorted()])), {
      api: [...common, 'COXSWAIN_API_TOKEN_FILE', 'COXSWAIN_WEBHOOK_SECRET_FILE'].toSorted(),
      control: [...common, ...s3, 'COXSWAIN_PROMETHEUS_TOKEN_FILE', 'COXSWAIN_KIALI_TOKEN_FILE'].toSorted(),
      orchestrator: [...common, ...s3, 'WANDB_API_KEY_FILE'].toSorted(),
      'trainer-cpu': [...common, ...s3].toSorted(),
      'trainer-gpu': [...common, ...s3].toSorted(),
    });
  });

  test("the API answers to its Service's names, and Kubernetes' own variables are kept away from settings", async () => {
    const objects = await render({});
    const api = containersOf(objects).find(({ name }) => name === 'api')!;
    assert.equal(
      api.env.find(({ name }) => name === 'COXSWAIN_ALLOWED_HOSTS')!.value,
      'rel-coxswain-api,rel-coxswain-api.cox,rel-coxswain-api.cox.svc,rel-coxswain-api.cox.svc.cluster.local',
    );
    // A Service called coxswain-api would set COXSWAIN_API_PORT to tcp://….
    for (const { spec } of ofKind(objects, 'Deployment')) assert.equal(spec.template.spec.enableServiceLinks, false);
  });
});

describe('wrong values are refused, with their path', { skip }, () => {
  const wrong: readonly (readonly [ChartValues, RegExp])[] = [
    [{ logLevel: 'loud' }, /logLevel/],
    [{ trainerCPU: {} }, /trainerCPU/],
    [{ trainerCpu: { replica: 2 } }, /replica/],
    [{ trainerCpu: { replicas: 'two' } }, /trainerCpu.replicas/],
    [{ trainerCpu: { terminationGracePeriodSeconds: 30 } }, /terminationGracePeriodSeconds/],
    [{ trainerCpu: { slots: 0 } }, /slots/],
    [{ trainerCpu: { autoscaling: { enabled: true } } }, /prometheusUrl/],
    [{ trainerCpu: { autoscaling: { enabled: true, minReplicas: 0 } } }, /minReplicas/],
    [{ trainerGpu: { gpuResource: 'gpu' } }, /gpuResource/],
    [{ temporal: { address: 'http://temporal:7233' } }, /temporal.address/],
    [{ temporal: { tls: { mode: 'off', serverName: 'x' } } }, /serverName/],
    [{ temporal: { apiKey: 'a-key-in-plain-text' } }, /temporal.apiKey/],
    [{ mongodb: { url: { secretName: '' } } }, /mongodb.url.secretName/],
    [{ mongodb: { url: 'mongodb://user:password@db' } }, /mongodb.url/],
    [{ artifacts: { kind: 's3' } }, /artifacts.s3.url/],
    [{ artifacts: { kind: 'folder' } }, /artifacts.kind/],
    [{ artifacts: { kind: 's3', s3: { url: 'http://bucket', credentials: { secretName: 's3' } } } }, /s3.url/],
    [{ wandb: { baseUrl: 'https://user:password@api.wandb.ai' } }, /wandb.baseUrl/],
    [{ dataFolders: [{ name: 'Traces', existingClaim: 'traces' }] }, /dataFolders.0.name/],
    [{ algorithms: { configMap: 'mine' } }, /algorithms.files/],
    [{ control: { namespaces: ['shop', 'shop'] } }, /control.namespaces/],
    [{ control: { namespaces: ['*'] } }, /control.namespaces/],
    [{ control: { rights: { everything: true } } }, /everything/],
    [{ api: { token: { secretName: '' } } }, /api.token.secretName/],
    [{ api: { service: { port: 70_000 } } }, /service.port/],
    [{ networkPolicies: { temporal: [{ namespace: 'temporal' }] } }, /networkPolicies.temporal/],
    [{ runAsUser: 0 }, /runAsUser/],
  ];
  for (const [values, path] of wrong) {
    test(JSON.stringify(values), async () => {
      const { code, stderr } = await helm!.run(['template', release.name, chartFolder], values);
      assert.notEqual(code, 0);
      assert.match(stderr.replaceAll('/', '.'), path);
      assert.match(stderr, /values don't meet the specifications of the schema/);
    });
  }
});

describe('pods', { skip }, () => {
  test('run as nobody special, on a root file system that nothing is written to, with probes and bounds', async () => {
    for (const [, values] of sets) {
      for (const { metadata, spec } of ofKind(await render(values), 'Deployment')) {
        const { securityContext, containers } = spec.template.spec;
        assert.equal(securityContext.runAsNonRoot, true);
        assert.deepEqual(securityContext.seccompProfile, { type: 'RuntimeDefault' });
        for (const container of containers) {
          assert.deepEqual(
            container.securityContext,
            { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
            metadata.name,
          );
          for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) assert.ok(container[probe], probe);
          for (const amount of ['cpu', 'memory']) assert.ok(container.resources.requests[amount], amount);
          assert.ok(container.resources.limits.memory);
          const writable = container.volumeMounts
            .filter(({ readOnly }: { readOnly?: boolean }) => readOnly !== true)
            .map(({ mountPath }: { mountPath: string }) => mountPath);
          assert.ok(writable.includes('/tmp') && writable.includes('/app/.coxswain'), writable.join());
        }
      }
    }
  });

  test('a trainer that is told to go has time for its last checkpoint', async () => {
    const { shutdownGraceTime, shutdownForceTime } = shutdownTimes.trainer;
    const atLeastSeconds = (shutdownGraceTime + shutdownForceTime) / 1000 + 10;
    const [values, schema] = await Promise.all([
      helm!.run(['show', 'values', chartFolder]),
      import('../../deploy/helm/coxswain/values.schema.json', { with: { type: 'json' } }),
    ]);
    assert.equal(values.code, 0);
    for (const name of ['trainerCpu', 'trainerGpu'] as const) {
      const { minimum } = schema.default.properties[name].properties.terminationGracePeriodSeconds;
      assert.ok(minimum > atLeastSeconds, `${name}: ${minimum} s is too short for ${atLeastSeconds} s`);
    }
    for (const { spec } of ofKind(await render(everything), 'Deployment')) {
      const { terminationGracePeriodSeconds, containers } = spec.template.spec;
      if (containers[0].name.startsWith('trainer')) assert.ok(terminationGracePeriodSeconds > atLeastSeconds);
    }
  });

  test('GPUs are asked for by those who use them only, as many as there are slots', async () => {
    for (const { name, args, resources } of containersOf(await render(everything))) {
      const { limits } = resources as { limits: Record<string, unknown> };
      assert.equal(limits['nvidia.com/gpu'], name === 'trainer-gpu' ? 2 : undefined, name);
      if (name === 'trainer-gpu') assert.deepEqual(args.slice(1), ['--device', 'cuda', '--gpus', '2']);
    }
  });

  test('a platform that chooses users itself gets none', async () => {
    for (const { spec } of ofKind(await render(valueSets['trainings alone, nothing around them']), 'Deployment')) {
      const { securityContext } = spec.template.spec;
      assert.deepEqual(Object.keys(securityContext), ['runAsNonRoot', 'seccompProfile']);
    }
  });
});

describe('rights', { skip }, () => {
  interface Rule {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }
  /** `group/resource verb`, sorted, each once. */
  const spelt = (rules: readonly Rule[]): string[] => {
    const all = rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)),
      ),
    );
    return [...new Set(all)].toSorted();
  };
  const rightsFor = (features: readonly RightFeature[], scope: 'cluster' | 'namespace'): string[] =>
    spelt(
      requiredRights
        .filter((right) => right.scope === scope && features.includes(right.feature))
        .map(({ apiGroup, resource, verbs }) => ({ apiGroups: [apiGroup], resources: [resource], verbs })),
    );
  const nothing = { scale: false, metricsApi: false, alert: false };
  const cases: readonly (readonly [ChartValues, readonly RightFeature[]])[] = [
    [{}, ['observe', 'metrics-api', 'scale', 'alert']],
    [nothing, ['observe']],
    [{ ...nothing, metricsApi: true }, ['observe', 'metrics-api']],
    [{ ...nothing, scale: true }, ['observe', 'scale']],
    [{ ...nothing, alert: true }, ['observe', 'alert']],
    [{ ...nothing, pauseOwners: true }, ['observe', 'pause-owners']],
    [{ ...nothing, nativeFallback: true }, ['observe', 'native-fallback']],
    [{ ...nothing, placement: true }, ['observe', 'placement']],
  ];

  for (const [rights, features] of cases) {
    test(`for ${features.join(', ')}: exactly what the code asks for, in the named namespaces`, async () => {
      const objects = await render({ control: { namespaces: ['shop', 'bank'], rights } });
      const [clusterRole] = ofKind(objects, 'ClusterRole');
      assert.deepEqual(spelt(clusterRole.rules), rightsFor(features, 'cluster'));
      const roles = ofKind(objects, 'Role');
      assert.deepEqual(
        roles.map(({ metadata }) => metadata.namespace),
        ['shop', 'bank'],
      );
      for (const { rules } of roles) assert.deepEqual(spelt(rules), rightsFor(features, 'namespace'));
    });
  }

  test('are bound to the control worker alone, the only one that holds a token', async () => {
    const objects = await render(everything);
    const bindings = [...ofKind(objects, 'RoleBinding'), ...ofKind(objects, 'ClusterRoleBinding')];
    assert.equal(bindings.length, 3);
    for (const { subjects } of bindings)
      assert.deepEqual(subjects, [{ kind: 'ServiceAccount', name: 'rel-coxswain-control', namespace: 'cox' }]);
    for (const { spec } of ofKind(objects, 'Deployment')) {
      const { serviceAccountName, automountServiceAccountToken } = spec.template.spec;
      assert.equal(automountServiceAccountToken, serviceAccountName === 'rel-coxswain-control');
    }
    const accounts = ofKind(objects, 'ServiceAccount').map(({ metadata }) => metadata.name);
    assert.equal(new Set(accounts).size, 5);
  });

  test('there are none without a namespace to act in', async () => {
    const kinds = (await render({})).map(({ kind }) => kind);
    for (const kind of ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']) assert.ok(!kinds.includes(kind));
  });
});

describe('network policies', { skip }, () => {
  test('deny everything first, and let each program reach what it needs', async () => {
    const policies = ofKind(await render(everything), 'NetworkPolicy');
    const named = (name: string) => policies.find(({ metadata }) => metadata.name === `rel-coxswain-${name}`)!.spec;
    assert.deepEqual(named('deny-all'), {
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'coxswain', 'app.kubernetes.io/instance': 'rel' } },
      policyTypes: ['Ingress', 'Egress'],
    });
    const programs = (name: string): unknown => named(name).podSelector.matchExpressions?.[0].values;
    const ports = (name: string): number[] =>
      named(name).egress.flatMap((rule: { ports: { port: number }[] }) => rule.ports.map(({ port }) => port));
    assert.deepEqual([programs('services'), ports('services')], [undefined, [7233, 27_017]]);
    assert.deepEqual(
      [programs('artifacts'), ports('artifacts')],
      [['orchestrator', 'trainer-cpu', 'trainer-gpu', 'control'], [9000]],
    );
    assert.deepEqual([programs('tracking'), ports('tracking')], [['orchestrator'], [443]]);
    assert.deepEqual([programs('cluster'), ports('cluster')], [['control'], [443, 6443, 9090, 20_001]]);
    assert.deepEqual(programs('api'), ['api']);
    assert.equal(policies.length, 8);
  });

  test('name the peers that the values name', async () => {
    const temporal = [{ namespaceSelector: { matchLabels: { name: 'temporal' } } }];
    const objects = await render({ networkPolicies: { temporal } });
    const services = ofKind(objects, 'NetworkPolicy').find(({ metadata }) => metadata.name.endsWith('services'))!;
    assert.deepEqual(services.spec.egress[0].to, temporal);
    assert.equal(services.spec.egress[1].to, undefined);
  });
});

describe('metrics', { skip }, () => {
  /** Names of what our processes tell. */
  const told = async (): Promise<string[]> => {
    const { registry, watch } = createWorkerMetrics();
    watch([]);
    addBacklogMetrics(registry, {} as Client, []);
    const none = { listDeployments: async () => [], latestDecision: async () => null, listEvents: async () => [] };
    addControlMetrics(registry, none);
    assert.ok(registry instanceof Registry);
    return registry.getMetricsAsArray().map(({ name }) => name);
  };

  test('every series that alerts and autoscaling ask for is told by a worker', async () => {
    const objects = await render(everything);
    const texts = [
      ...ofKind(objects, 'PrometheusRule').flatMap(({ spec }) =>
        spec.groups.flatMap(({ rules }: { rules: { expr: string }[] }) => rules.map(({ expr }) => expr)),
      ),
      ...ofKind(objects, 'ScaledObject').map(({ spec }) => spec.triggers[1].metadata.query),
    ] as string[];
    const asked = new Set(texts.flatMap((text) => text.match(/\bcoxswain_\w+/g) ?? []));
    const names = await told();
    assert.deepEqual(
      [...asked].filter((name) => !names.includes(name)),
      [],
    );
    assert.ok(asked.size >= 6);
  });

  test('autoscaling looks at the queues of the contract, and counts what runs beside what waits', async () => {
    const scaled = ofKind(await render(everything), 'ScaledObject');
    assert.deepEqual(
      scaled.map(({ spec }) => [spec.triggers[0].type, spec.triggers[0].metadata.taskQueue, spec.minReplicaCount]),
      [
        ['temporal', taskQueues.trainCpu, 1],
        ['temporal', taskQueues.trainGpu, 1],
      ],
    );
    for (const { spec } of scaled) assert.equal(spec.advanced.scalingModifiers.formula, 'waiting + running');
    const deployments = ofKind(await render(everything), 'Deployment');
    for (const { metadata, spec } of deployments)
      assert.equal('replicas' in spec, !metadata.name.includes('trainer'), metadata.name);
  });

  test('what runs is counted; 0 only where the orchestrator is known', { skip: prometheusOrSkip.skip }, async () => {
    const [scaled] = ofKind(await render(everything), 'ScaledObject');
    const { query } = scaled.spec.triggers[1].metadata;
    const orchestrator = { 'coxswain_worker_polling{namespace="cox",task_queue="orchestration",pod="o"}': '1x40' };
    const trainers = {
      'coxswain_worker_activities{namespace="cox",task_queue="train-cpu",pod="a"}': '2x40',
      'coxswain_worker_activities{namespace="cox",task_queue="train-cpu",pod="b"}': '1x40',
      'coxswain_worker_activities{namespace="elsewhere",task_queue="train-cpu",pod="c"}': '7x40',
    };
    const counted = (series: RuleCase['series'], ...values: number[]): RuleCase => {
      const samples = values.map((value) => ({ labels: '{}', value }));
      return { series, expressions: [{ expression: query, samples }] };
    };
    await testRules([], [counted({ ...orchestrator, ...trainers }, 3), counted(orchestrator, 0), counted({})]);
  });

  test('the alerts ring when they should, and are silent otherwise', { skip: prometheusOrSkip.skip }, async () => {
    const [rule] = ofKind(await render(everything), 'PrometheusRule');
    await testRules(rule.spec.groups, alertCases());
  });
});

interface RuleCase {
  /** Values of series in promtool's notation, one each half minute. */
  readonly series: Readonly<Record<string, string>>;
  readonly expressions: readonly {
    readonly expression: string;
    readonly samples: readonly { readonly labels: string; readonly value: number }[];
  }[];
}

/** Lets promtool check rules, and compare expressions after twenty minutes with what is expected. */
async function testRules(groups: readonly object[], cases: readonly RuleCase[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-rules-'));
  const promtool = (...args: string[]) =>
    promisify(execFile)(prometheusOrSkip.programs!.promtool, args, { cwd: folder, timeout: 60_000 }).catch(
      ({ stdout, stderr }: { stdout: string; stderr: string }) => assert.fail(stdout + stderr),
    );
  const tests = cases.map(({ series, expressions }) => ({
    interval: '30s',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: expressions.map(({ expression, samples }) => ({
      expr: expression,
      eval_time: '20m',
      exp_samples: samples,
    })),
  }));
  try {
    writeFileSync(join(folder, 'rules.json'), JSON.stringify({ groups }));
    writeFileSync(
      join(folder, 'tests.json'),
      JSON.stringify({ rule_files: ['rules.json'], evaluation_interval: '30s', tests }),
    );
    if (groups.length > 0) await promtool('check', 'rules', 'rules.json');
    await promtool('test', 'rules', 'tests.json');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const alertNames = [
  'CoxswainFallbackTaken',
  'CoxswainControlLoopLate',
  'CoxswainQueueWaiting',
  'CoxswainWorkerDown',
  'CoxswainWorkerSilent',
] as const;

/** Series of twenty minutes, and which alert rings at their end. */
function alertCases(): RuleCase[] {
  const labelled = (name: string, labels: string, values: string) => ({
    [`${name}{namespace="cox",pod="a",${labels}}`]: values,
  });
  const polling = (queue: string) => labelled('coxswain_worker_polling', `task_queue="${queue}"`, '1x40');
  const workers = { ...polling('orchestration'), ...polling('control') };
  const loop = (timestamps: string, fallback = '0x40', paused = '0x40') => ({
    ...labelled('coxswain_control_step_timestamp_seconds', 'deployment="shop"', timestamps),
    ...labelled('coxswain_control_interval_seconds', 'deployment="shop"', '15x40'),
    ...labelled('coxswain_control_fallback', 'deployment="shop"', fallback),
    ...labelled('coxswain_control_paused', 'deployment="shop"', paused),
  });
  const oldest = (ages: string) => labelled('coxswain_task_queue_backlog_age_seconds', 'task_queue="train-cpu"', ages);
  const up = (values: string) => labelled('up', 'service="rel-coxswain-workers"', values);
  const steady = '0+30x40';
  const stuck = '0+30x20 600x20';
  return [
    rings(null, { ...workers, ...loop(steady), ...oldest('0x40'), ...up('1x40') }),
    rings('CoxswainFallbackTaken', { ...workers, ...loop(steady, '0x30 1x10') }),
    rings('CoxswainControlLoopLate', { ...workers, ...loop(stuck) }),
    rings(null, { ...workers, ...loop(stuck, '0x40', '0x20 1x20') }),
    rings('CoxswainQueueWaiting', { ...workers, ...oldest('0+60x40') }),
    rings('CoxswainWorkerDown', polling('control')),
    rings('CoxswainWorkerDown', polling('orchestration')),
    rings('CoxswainWorkerSilent', { ...workers, ...up('1x20 0x20') }),
  ];
}

function rings(alert: (typeof alertNames)[number] | null, series: RuleCase['series']): RuleCase {
  const expressions = alertNames.map((name) => ({
    expression: `count by (alertname) (ALERTS{alertname="${name}",alertstate="firing"})`,
    samples: name === alert ? [{ labels: `{alertname="${name}"}`, value: 1 }] : [],
  }));
  return { series, expressions };
}
