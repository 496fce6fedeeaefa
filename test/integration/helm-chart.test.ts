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
      if (args[0] === 'dist/workers/control.js' && !existsSync(source)) continue; // it is being written
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

  test('the alerts ring when they should, and are silent otherwise', { skip: prometheusOrSkip.skip }, async () => {
    const [rule] = ofKind(await render(everything), 'PrometheusRule');
    const folder = mkdtempSync(join(tmpdir(), 'coxswain-alerts-'));
    try {
      writeFileSync(join(folder, 'rules.json'), JSON.stringify(rule.spec));
      writeFileSync(join(folder, 'tests.json'), JSON.stringify(alertTests()));
      const promtool = (...args: string[]) =>
        promisify(execFile)(prometheusOrSkip.programs!.promtool, args, { cwd: folder, timeout: 60_000 });
      await promtool('check', 'rules', 'rules.json');
      await promtool('test', 'rules', 'tests.json').catch(({ stdout, stderr }: { stdout: string; stderr: string }) =>
        assert.fail(stdout + stderr),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Series of twenty minutes, and which alerts ring at their end. */
function alertTests() {
  const here = 'namespace="cox"';
  const polling = [`orchestration`, `control`].map((queue) => [
    `coxswain_worker_polling{${here},task_queue="${queue}",pod="a"}`,
    '1x40',
  ]);
  const loop = (timestamps: string, fallback = '0x40', paused = '0x40') => [
    [`coxswain_control_step_timestamp_seconds{${here},deployment="shop",pod="a"}`, timestamps],
    [`coxswain_control_interval_seconds{${here},deployment="shop",pod="a"}`, '15x40'],
    [`coxswain_control_fallback{${here},deployment="shop",pod="a"}`, fallback],
    [`coxswain_control_paused{${here},deployment="shop",pod="a"}`, paused],
  ];
  const queue = (ages: string) => [
    [`coxswain_task_queue_backlog_age_seconds{${here},task_queue="train-cpu",pod="a"}`, ages],
  ];
  const up = (values: string) => [[`up{${here},service="rel-coxswain-workers",pod="a"}`, values]];
  const steady = '0+30x40';
  const stuck = '0+30x20 600x20';
  const cases = [
    { name: 'all is well', series: [...polling, ...loop(steady), ...queue('0x40'), ...up('1x40')], rings: [] },
    {
      name: 'a fallback',
      series: [...polling, ...loop(steady, '0x30 1x10')],
      rings: [['CoxswainFallbackTaken', 'warning', { deployment: 'shop' }]],
    },
    {
      name: 'a loop that stands still',
      series: [...polling, ...loop(stuck)],
      rings: [['CoxswainControlLoopLate', 'critical', { deployment: 'shop' }]],
    },
    { name: 'a loop that was paused', series: [...polling, ...loop(stuck, '0x40', '0x20 1x20')], rings: [] },
    {
      name: 'a training that waits',
      series: [...polling, ...queue('0+60x40')],
      rings: [['CoxswainQueueWaiting', 'warning', { task_queue: 'train-cpu' }]],
    },
    {
      name: 'no orchestrator',
      series: polling.slice(1),
      rings: [['CoxswainWorkerDown', 'critical', { program: 'orchestrator' }]],
    },
    {
      name: 'a worker that is silent',
      series: [...polling, ...up('1x20 0x20')],
      rings: [['CoxswainWorkerSilent', 'warning', { pod: 'a', namespace: 'cox', service: 'rel-coxswain-workers' }]],
    },
  ] as const;
  const names = [
    'CoxswainFallbackTaken',
    'CoxswainControlLoopLate',
    'CoxswainQueueWaiting',
    'CoxswainWorkerDown',
    'CoxswainWorkerSilent',
  ];
  return {
    rule_files: ['rules.json'],
    evaluation_interval: '30s',
    tests: cases.map(({ name, series, rings }) => ({
      name,
      interval: '30s',
      input_series: series.map(([text, values]) => ({ series: text, values })),
      promql_expr_test: names.map((alertname) => ({
        expr: `count by (alertname) (ALERTS{alertname="${alertname}",alertstate="firing"})`,
        eval_time: '20m',
        exp_samples: rings
          .filter(([ringing]) => ringing === alertname)
          .map(() => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
      })),
    })),
  };
}
