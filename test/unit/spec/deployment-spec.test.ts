import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { DeploymentSpec, DeploymentTarget } from '../../../src/contracts/control.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { specSha256 } from '../../../src/spec/canonical-json.ts';
import { deploymentSpecJsonSchema, parseDeploymentSpec } from '../../../src/spec/deployment-spec.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';
import type { SpecIssue } from '../../../src/spec/run-spec.ts';
import { readRunSpecText } from '../../../src/spec/run-spec-text.ts';

const minimal = { version: 1, name: 'shop', model: { name: 'boutique' }, target: { namespace: 'shop' } };

/** The issues of a spec that must be refused. */
function issuesOf(input: unknown): readonly SpecIssue[] {
  try {
    parseDeploymentSpec(input);
  } catch (error) {
    assert.ok(error instanceof CoxswainError);
    assert.equal(error.code, 'SPEC_INVALID');
    return error.details as readonly SpecIssue[];
  }
  return assert.fail(`accepted ${JSON.stringify(input)}`);
}

function assertRefusedAt(path: string, input: unknown): void {
  assert.deepEqual(
    issuesOf(input).map((issue) => issue.path),
    [path],
    JSON.stringify(input),
  );
}

describe('parseDeploymentSpec', () => {
  test('needs only version, name, model and namespace; everything else has a default', () => {
    assert.deepEqual(parseDeploymentSpec(minimal), {
      version: 1,
      name: 'shop',
      description: '',
      model: { name: 'boutique', version: 'champion' },
      target: { namespace: 'shop', workloads: {}, entry: null },
      mode: 'shadow',
      intervalSeconds: 15,
      metrics: { dialect: 'istio', windowSeconds: 60 },
      guard: {
        limits: {
          minReplicas: null,
          maxReplicas: null,
          maxStepUp: 7,
          maxStepDown: 2,
          coolDownUpSeconds: 0,
          coolDownDownSeconds: 60,
        },
        services: {},
        podHours: null,
        frozen: [],
        maxObservationAgeSteps: 2,
      },
      owners: 'refuse',
      fallback: { controller: 'own', hpaTargetPercent: null, errorBudget: { violationShare: 0.05, windowSteps: 20 } },
      placement: null,
    });
  });

  test('places as little as may be where a section says no more, and checks the nodes that it names', () => {
    const placement = { nodes: { frontend: ['node-1', 'ip-10-0-0-7.ec2.internal'] } };
    const least = { leaveCordoned: true, movesPerStep: 1, coolDownSeconds: 60 };
    assert.deepEqual(parseDeploymentSpec({ ...minimal, placement }).placement, { ...placement, ...least });
    assert.deepEqual(parseDeploymentSpec({ ...minimal, placement: {} }).placement, { nodes: {}, ...least });
    for (const [path, wrong] of [
      ['placement.nodes.frontend', { nodes: { frontend: [] } }],
      ['placement.nodes.frontend', { nodes: { frontend: ['node-1', 'node-1'] } }],
      ['placement.nodes.frontend[0]', { nodes: { frontend: ['Node 1'] } }],
      ['placement.nodes', { nodes: ['node-1'] }],
      ['placement.leaveCordoned', { leaveCordoned: 'yes' }],
      ['placement.movesPerStep', { movesPerStep: 0 }],
      ['placement.coolDownSeconds', { coolDownSeconds: -1 }],
    ] as const) {
      assertRefusedAt(path, { ...minimal, placement: wrong });
    }
    const [issue] = issuesOf({ ...minimal, placement: { leaveCordon: true } });
    assert.deepEqual([issue!.path, issue!.nearest], ['placement.leaveCordon', 'leaveCordoned']);
  });

  test('a spec that does not place has the hash that it had before there was placement', () => {
    const { placement, ...before } = parseDeploymentSpec(minimal);
    assert.equal(placement, null);
    const { placement: _none, ...deployBefore } = parseRunSpec({
      version: 1,
      name: 'a',
      deploy: { target: { namespace: 'n' } },
    }).deploy!;
    const run = parseRunSpec({ version: 1, name: 'a', deploy: { target: { namespace: 'n' } } });
    assert.equal(specSha256({ ...before, placement }), specSha256(before as DeploymentSpec));
    assert.equal(specSha256(run), specSha256({ ...run, deploy: deployBefore as DeploymentTarget }));
    const placing = parseDeploymentSpec({ ...minimal, placement: {} });
    assert.notEqual(specSha256(placing), specSha256({ ...before, placement }));
  });

  test('changes nothing in a spec that it has already completed', () => {
    const spec = parseDeploymentSpec({
      ...minimal,
      model: { name: 'boutique', version: 3 },
      target: { namespace: '0shop', workloads: { cart: 'cart.v2' } },
      guard: { services: { frontend: { minReplicas: 2 } }, podHours: { budget: 10.5 } },
    });
    assert.deepEqual(parseDeploymentSpec(JSON.parse(JSON.stringify(spec))), spec);
    assert.deepEqual(spec.guard.podHours, { budget: 10.5, windowHours: 24 });
    assert.deepEqual(spec.guard.services, { frontend: { minReplicas: 2 } });
  });

  test('asks for what has no default', () => {
    assert.deepEqual(
      issuesOf({ version: 1 }).map(({ path, found }) => [path, found]),
      [
        ['name', 'nothing'],
        ['model', 'nothing'],
        ['target', 'nothing'],
      ],
    );
    assertRefusedAt('model.name', { ...minimal, model: {} });
    assertRefusedAt('target.namespace', { ...minimal, target: {} });
    assertRefusedAt('version', { ...minimal, version: 2 });
  });

  test('names the field that was probably meant, at every depth', () => {
    const nearest = (input: object): string | null => issuesOf({ ...minimal, ...input })[0]!.nearest;
    assert.equal(nearest({ mods: 'live' }), 'mode');
    assert.equal(nearest({ guard: { limit: {} } }), 'limits');
    assert.equal(nearest({ guard: { services: { frontend: { minReplica: 1 } } } }), 'minReplicas');
    assert.equal(nearest({ guard: { podHours: { budge: 1, budget: 2 } } }), 'budget');
    assert.equal(nearest({ guard: { frozen: [{ days: [1], fromMinute: 0, toMinute: 9, toMinutes: 1 }] } }), 'toMinute');
    assert.equal(nearest({ kubeconfig: '/etc/config' }), null);
  });

  test('says where a service breaks a rule, whatever its name', () => {
    const services = { 'my service': { maxStepUp: -1 } };
    const [issue] = issuesOf({ ...minimal, guard: { services } });
    assert.deepEqual(issue, {
      path: 'guard.services["my service"].maxStepUp',
      found: '-1',
      allowed: 'a whole number from 0 to 10000',
      nearest: null,
    });
  });

  test('refuses a minimum above its maximum, also one that a service brings about', () => {
    const limits = { minReplicas: 4, maxReplicas: 3 };
    assertRefusedAt('guard.limits.minReplicas', { ...minimal, guard: { limits } });
    const guard = { limits: { maxReplicas: 3 }, services: { frontend: { minReplicas: 4 }, cart: { maxReplicas: 9 } } };
    assertRefusedAt('guard.services.frontend.minReplicas', { ...minimal, guard });
    assert.match(issuesOf({ ...minimal, guard })[0]!.allowed, /at most maxReplicas, which is 3/);
  });

  test('takes a version or an alias, and names that Kubernetes takes', () => {
    for (const version of [0, 1.5, -1, 'Champion', '', null, true]) {
      assertRefusedAt('model.version', { ...minimal, model: { name: 'boutique', version } });
    }
    for (const namespace of ['', 'a.b', 'A', '-a', 'a-', 'x'.repeat(64), 'a/b', '*']) {
      assertRefusedAt('target.namespace', { ...minimal, target: { namespace } });
    }
    for (const workload of ['', 'a..b', 'A', 'a/b', 7]) {
      assertRefusedAt('target.workloads.cart', {
        ...minimal,
        target: { namespace: 'n', workloads: { cart: workload } },
      });
    }
  });

  test('refuses values outside of their range', () => {
    for (const [path, input] of [
      ['intervalSeconds', { intervalSeconds: 0 }],
      ['mode', { mode: 'canary' }],
      ['owners', { owners: 'ignore' }],
      ['metrics.dialect', { metrics: { dialect: 'linkerd' } }],
      ['guard.frozen[0].days[0]', { guard: { frozen: [{ days: [7], fromMinute: 0, toMinute: 1 }] } }],
      ['guard.frozen[0].fromMinute', { guard: { frozen: [{ days: [0], fromMinute: 1440, toMinute: 1 }] } }],
      ['guard.podHours.budget', { guard: { podHours: { budget: 0 } } }],
      ['guard.podHours.windowHours', { guard: { podHours: { budget: 1, windowHours: 169 } } }],
      ['fallback.errorBudget.violationShare', { fallback: { errorBudget: { violationShare: 0 } } }],
      ['fallback.hpaTargetPercent', { fallback: { hpaTargetPercent: 0 } }],
    ] as const) {
      assertRefusedAt(path, { ...minimal, ...input });
    }
  });

  test('refuses a spec that is too large for the history that carries it', () => {
    const workloads = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`service-${i}`, 'x'.repeat(100)]));
    const [issue] = issuesOf({ ...minimal, target: { namespace: 'n', workloads } });
    assert.match(issue!.allowed, /16384 bytes.*target\.workloads/);
  });
});

describe('deploy in a RunSpec', () => {
  const target = { namespace: 'shop' };

  test('is nothing by default, and else takes name and interval from the run', () => {
    assert.equal(parseRunSpec({ version: 1, name: 'shop' }).deploy, null);
    const spec = parseRunSpec({ version: 1, name: 'shop', collect: { binSeconds: 30 }, deploy: { target } });
    const { version, model, ...rest } = parseDeploymentSpec({ ...minimal, intervalSeconds: 30 });
    assert.deepEqual([version, model.name], [1, 'boutique']);
    assert.deepEqual(spec.deploy, rest);
    assert.deepEqual(parseRunSpec(JSON.parse(JSON.stringify(spec))), spec);
  });

  test('makes a whole DeploymentSpec together with the model that the run registers', () => {
    const { deploy, register } = parseRunSpec({ version: 1, name: 'a', deploy: { target, name: 'b', mode: 'live' } });
    const spec = { version: 1, ...deploy, model: { name: register.model, version: 4 } };
    assert.deepEqual(parseDeploymentSpec(spec), spec);
  });

  test('has neither version nor model, and keeps the other rules', () => {
    assert.throws(() => parseRunSpec({ version: 1, name: 'a', deploy: { target, model: { name: 'm' } } }), {
      message: /deploy\.model: found an unknown field; allowed: name, description, target/,
    });
    assert.throws(() => parseRunSpec({ version: 1, name: 'a', deploy: {} }), { message: /deploy\.target/ });
    assert.throws(() => parseRunSpec({ version: 1, name: 'a', deploy: { target, guard: { limts: {} } } }), {
      message: /deploy\.guard\.limts: .*nearest valid name: limits/,
    });
  });
});

describe('config/deployment.schema.json', () => {
  test('is the schema (else run `node scripts/write-reference.ts`)', () => {
    const path = join(import.meta.dirname, '../../../config/deployment.schema.json');
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), deploymentSpecJsonSchema());
  });
});

describe('config/deployments/online-boutique.yaml', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../config/deployments/online-boutique.yaml'), 'utf8');

  test('is a valid spec that names its schema, writes out every field and explains each where it stands', () => {
    assert.match(text, /^# yaml-language-server: \$schema=\.\.\/deployment\.schema\.json\n/);
    const raw = readRunSpecText(text, 'yaml');
    assert.deepEqual(parseDeploymentSpec(raw), raw);
    const unexplained = text.split('\n').filter((line) => /^ *\w+: ./.test(line) && !line.includes(' # '));
    assert.deepEqual(unexplained, []);
  });

  test('has the defaults wherever there are some', () => {
    const { version, name, model, target } = parseDeploymentSpec(readRunSpecText(text, 'yaml'));
    const least = { version, name, model: { name: model.name }, target: { namespace: target.namespace } };
    const { description: _description, target: _target, ...defaults } = parseDeploymentSpec(least);
    const { description: _text, target: _named, ...written } = parseDeploymentSpec(readRunSpecText(text, 'yaml'));
    assert.deepEqual(written, defaults);
  });
});
