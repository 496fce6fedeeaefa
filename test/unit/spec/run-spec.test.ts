import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { SpecIssue } from '../../../src/spec/run-spec.ts';
import { canonicalJson, parseRunSpec, runSpecJsonSchema, specSha256 } from '../../../src/spec/run-spec.ts';

const minimal = { version: 1, name: 'boutique' };
const file = {
  kind: 'file',
  folder: 'traces',
  path: 'a/b.csv',
  layout: { kind: 'long', timeColumn: 't', countColumn: 'n' },
};

/** The issues of a spec that must be refused. */
function issuesOf(input: unknown): readonly SpecIssue[] {
  try {
    parseRunSpec(input);
  } catch (error) {
    assert.ok(error instanceof CoxswainError);
    assert.equal(error.code, 'SPEC_INVALID');
    return error.details as readonly SpecIssue[];
  }
  return assert.fail(`accepted ${JSON.stringify(input)}`);
}

function assertRefusedAt(path: string, input: unknown): void {
  const paths = issuesOf(input).map((issue) => issue.path);
  assert.deepEqual(paths, [path]);
}

describe('parseRunSpec', () => {
  test('needs only version and name; everything else has a default', () => {
    const spec = parseRunSpec(minimal);
    assert.equal(spec.collect.source.kind, 'generator');
    assert.equal(spec.collect.binSeconds, 15);
    assert.deepEqual(spec.collect.split, { train: 0.6, validate: 0.2, heldOut: 0.2 });
    assert.deepEqual(spec.train.seeds, [1, 2, 3, 4, 5]);
    assert.deepEqual(spec.evaluate.hpaTargetsPercent, [20, 40, 60, 80]);
    assert.deepEqual(spec.register, { model: 'boutique', alias: 'champion' });
    assert.equal(spec.tracking.wandb.enabled, 'auto');
  });

  test('changes nothing in a spec that it has already completed', () => {
    const spec = parseRunSpec({
      ...minimal,
      collect: { source: { ...file, layout: { kind: 'wide', columnPrefix: '', idColumn: 'id' } } },
    });
    assert.deepEqual(parseRunSpec(JSON.parse(JSON.stringify(spec))), spec);
  });

  test('keeps parameters and hyperparameters as they are, whatever JSON they hold', () => {
    const parameters = { deep: [{ a: [1, null, 'x', false] }], n: 1e-9 };
    assert.deepEqual(parseRunSpec({ ...minimal, environment: { parameters } }).environment.parameters, parameters);
  });

  test('reports every broken rule at once: path, value found, what is allowed, nearest name', () => {
    const input = { version: 1, name: 'Bad Name', train: { seeds: [1, -2], totalStep: 5 } };
    assert.deepEqual(issuesOf(input), [
      {
        path: 'name',
        found: '"Bad Name"',
        allowed: '1 to 63 lower case letters, digits and dashes, from a letter to a letter or digit',
        nearest: null,
      },
      { path: 'train.seeds[1]', found: '-2', allowed: 'a whole number from 0 to 4294967295', nearest: null },
      {
        path: 'train.totalStep',
        found: 'an unknown field',
        allowed: 'seeds, totalSteps, environments, evaluateEverySteps, checkpointEverySteps',
        nearest: 'totalSteps',
      },
    ]);
    assert.throws(() => parseRunSpec(input), {
      message:
        'name: found "Bad Name"; allowed: 1 to 63 lower case letters, digits and dashes, from a letter to a letter or digit\n' +
        'train.seeds[1]: found -2; allowed: a whole number from 0 to 4294967295\n' +
        'train.totalStep: found an unknown field; allowed: seeds, totalSteps, environments, evaluateEverySteps, ' +
        'checkpointEverySteps; nearest valid name: totalSteps',
    });
  });

  test('names the fields of the form that `kind` chose', () => {
    const [issue] = issuesOf({ ...minimal, collect: { source: { kind: 'generator', day: 3 } } });
    assert.equal(issue.nearest, 'days');
    assert.doesNotMatch(issue.allowed, /folder/);
    assert.deepEqual(
      issuesOf({ ...minimal, collect: { source: { kind: 'trace' } } })[0].allowed,
      'generator | file | cluster',
    );
  });

  test('suggests nothing when no valid name is near', () => {
    assert.equal(issuesOf({ ...minimal, kubeconfig: '/root/.kube/config' })[0].nearest, null);
  });

  test('refuses what is no object at all', () => {
    for (const input of [undefined, null, 7, 'spec', [], true]) assertRefusedAt('', input);
    assertRefusedAt('collect', { ...minimal, collect: 'file' });
    assertRefusedAt('train.seeds', { ...minimal, train: { seeds: 1 } });
  });

  test('asks for the version that it knows', () => {
    assertRefusedAt('version', { name: 'x' });
    assertRefusedAt('version', { name: 'x', version: 2 });
    assertRefusedAt('version', { name: 'x', version: '1' });
  });

  test('does not turn text into numbers or round them', () => {
    for (const totalSteps of ['100', 1.5, 0, -1, 2e9, null, [100]])
      assertRefusedAt('train.totalSteps', { ...minimal, train: { totalSteps } });
  });

  test('refuses a spec that is too large for the histories that carry it', () => {
    const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i).padStart(64, 'f'));
    const withIds = (count: number) => {
      const layout = { kind: 'wide', columnPrefix: 'minute_', idColumn: 'HashFunction', ids: ids(count) };
      return {
        ...minimal,
        collect: { source: { kind: 'file', folder: 'traces', path: 'a.csv', layout, fileBinSeconds: 60 } },
      };
    };
    assert.equal(parseRunSpec(withIds(200)).name, minimal.name);
    assert.throws(() => parseRunSpec(withIds(250)), {
      code: 'SPEC_INVALID',
      message: /at most 16384 bytes.*layout\.ids/,
    });
  });

  test('takes 1 to 32 different seeds', () => {
    for (const seeds of [[], [3, 3], Array.from({ length: 33 }, (_, i) => i)])
      assertRefusedAt('train.seeds', { ...minimal, train: { seeds } });
    assertRefusedAt('train.seeds[0]', { ...minimal, train: { seeds: [4294967296] } });
    assert.equal(parseRunSpec({ ...minimal, train: { seeds: [0, 4294967295] } }).train.seeds.length, 2);
  });

  test('wants shares that sum to 1, however binary fractions round', () => {
    assertRefusedAt('collect.split', { ...minimal, collect: { split: { train: 0.5 } } });
    const split = { train: 0.7, validate: 0.1, heldOut: 0.2 };
    assert.deepEqual(parseRunSpec({ ...minimal, collect: { split } }).collect.split, split);
  });

  test('keeps the path of a file inside its folder', () => {
    for (const path of [
      '/etc/passwd',
      '../a',
      'a/../../b',
      'a//b',
      './a',
      'a/',
      '',
      'C:\\a',
      'a\\..\\b',
      'a\0b',
      'c:a',
    ])
      assertRefusedAt('collect.source.path', { ...minimal, collect: { source: { ...file, path } } });
    assert.ok(parseRunSpec({ ...minimal, collect: { source: { ...file, path: 'a b/..c/d..csv' } } }));
  });

  test('names data folders only by plain names', () => {
    for (const folder of ['../x', '/data', 'A', 'a_b', '-a', 'a-', '__proto__', 'a'.repeat(64)])
      assertRefusedAt('collect.source.folder', { ...minimal, collect: { source: { ...file, folder } } });
  });

  test('asks of a live cluster nothing but its namespace, and for bins that fit', () => {
    const cluster = (source: object, binSeconds = 15) => ({
      ...minimal,
      collect: { binSeconds, source: { kind: 'cluster', namespace: 'shop', ...source } },
    });
    assert.deepEqual(parseRunSpec(cluster({})).collect.source, {
      ...{ kind: 'cluster', namespace: 'shop', entry: null, dialect: 'istio', minutes: 1440, startMinutesAgo: 0 },
      ...{ windowSeconds: 60, maxMissingShare: 0.05 },
    });
    assertRefusedAt('collect.source.namespace', cluster({ namespace: 'shop"} or vector(1)' }));
    assertRefusedAt('collect.source.entry', cluster({ entry: 'shop/web' }));
    assertRefusedAt('collect.source.minutes', cluster({ minutes: 1 }, 3600));
    assertRefusedAt('collect.source.minutes', cluster({ minutes: 20_160 }, 1));
    assertRefusedAt('collect.source.url', cluster({ url: 'http://evil' }));
  });

  test('wants bins of the file that fit the bins of the recording', () => {
    const collect = (fileBinSeconds: number, binSeconds: number) => ({
      binSeconds,
      source: { ...file, fileBinSeconds },
    });
    assertRefusedAt('collect.source.fileBinSeconds', { ...minimal, collect: collect(50, 15) });
    for (const [fileBin, bin] of [
      [60, 15],
      [1, 15],
      [15, 15],
      [86_400, 3600],
    ])
      assert.ok(parseRunSpec({ ...minimal, collect: collect(fileBin, bin) }));
    assertRefusedAt('collect.binSeconds', { ...minimal, collect: { binSeconds: 3601 } });
  });

  test('bounds the length of a generated recording', () => {
    const collect = { binSeconds: 1, source: { kind: 'generator', days: 60 } };
    assert.match(issuesOf({ ...minimal, collect })[0].allowed, /at most 4000000 bins of 1 s, which is 46 days/);
  });

  test('takes a commit of 7 to 64 hexadecimal digits', () => {
    for (const gitSha of ['abc', 'xyzxyzx', 1234567, 'ABCDEF0']) assertRefusedAt('gitSha', { ...minimal, gitSha });
    assert.equal(parseRunSpec({ ...minimal, gitSha: 'abcdef0' }).gitSha, 'abcdef0');
  });

  test('refuses what JSON cannot hold, cycles and names that reach prototypes', () => {
    assertRefusedAt('environment.parameters.a', { ...minimal, environment: { parameters: { a: NaN } } });
    assertRefusedAt('environment.parameters.a', { ...minimal, environment: { parameters: { a: new Date(0) } } });
    assertRefusedAt('environment.parameters.a', { ...minimal, environment: { parameters: { a: () => 1 } } });
    const polluting: unknown = JSON.parse(
      '{"version":1,"name":"x","environment":{"parameters":{"__proto__":{"x":1}}}}',
    );
    assertRefusedAt('environment.parameters.__proto__', polluting);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    assertRefusedAt('environment.parameters.self.self', { ...minimal, environment: { parameters: cycle } });
    const many = Array.from({ length: 20_001 }, () => 0);
    assert.match(issuesOf({ ...minimal, environment: { parameters: { many } } })[0].allowed, /at most 20000 values/);
  });

  test('shortens long values in its messages', () => {
    const [issue] = issuesOf({ ...minimal, name: 'x'.repeat(10_000) });
    assert.equal(issue.found.length, 78);
  });
});

describe('specSha256', () => {
  test('depends on the values alone, not on the order of names or on defaults written out', () => {
    const a = parseRunSpec({ version: 1, name: 'x', train: { seeds: [2, 1], environments: 8 } });
    const b = parseRunSpec({ train: { environments: 8, seeds: [2, 1] }, device: 'auto', name: 'x', version: 1 });
    assert.equal(specSha256(a), specSha256(b));
    assert.match(specSha256(a), /^[0-9a-f]{64}$/);
  });

  test('changes with any value, also with the order of seeds', () => {
    const of = (change: object) => specSha256(parseRunSpec({ ...minimal, ...change }));
    const hashes = [
      {},
      { device: 'cpu' },
      { train: { seeds: [1, 2] } },
      { train: { seeds: [2, 1] } },
      { description: ' ' },
    ].map(of);
    assert.equal(new Set(hashes).size, hashes.length);
  });
});

describe('canonicalJson', () => {
  test('sorts names by code units and writes numbers as ECMAScript does', () => {
    const value = { b: [1e21, -0, 0.1], a: { ä: 'é\n"', A: null }, '10': true, '9': false };
    assert.equal(canonicalJson(value), '{"10":true,"9":false,"a":{"A":null,"ä":"é\\n\\""},"b":[1e+21,0,0.1]}');
  });

  test('leaves undefined fields out and throws for what JSON cannot hold', () => {
    assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
    for (const value of [NaN, Infinity, 1n, () => 1, undefined]) assert.throws(() => canonicalJson(value), TypeError);
  });
});

describe('config/run-spec.schema.json', () => {
  test('is what the schema says (else run `node scripts/write-reference.ts`)', () => {
    const path = join(import.meta.dirname, '../../../config/run-spec.schema.json');
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), JSON.parse(JSON.stringify(runSpecJsonSchema())));
  });

  test('asks only for version and name, refuses unknown fields and explains each field', () => {
    const schema = runSpecJsonSchema();
    assert.deepEqual(schema.required, ['version', 'name']);
    assert.equal(schema.additionalProperties, false);
    for (const [name, field] of Object.entries(schema.properties ?? {})) assert.ok(field.description, name);
  });
});
