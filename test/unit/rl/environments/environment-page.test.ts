import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { SpaceRow } from '../../../../src/rl/environment.ts';
import { CartPole } from '../../../../src/rl/environments/cart-pole.ts';
import { withTables } from '../../../../src/rl/environments/environment-page.ts';
import { environments } from '../../../../src/rl/environments/index.ts';
import type { EnvironmentKind } from '../../../../src/rl/environments/registry.ts';

const folder = join(import.meta.dirname, '../../../../docs/environments');

const fileOf = ({ name }: EnvironmentKind): string => join(folder, `${name}.md`);

// Kinds without a page of their own (versions of one environment) are described, and tested, in a common one.
for (const kind of Object.values(environments).filter((one) => existsSync(fileOf(one)))) {
  test(`the page of ${kind.name} has the tables of the code (else run scripts/write-reference.ts)`, () => {
    const page = readFileSync(fileOf(kind), 'utf8');
    assert.equal(page, withTables(page, kind));
  });
}

test('the pages of the generated environments have all three tables, or two without parameters', () => {
  for (const name of ['cart-pole', 'acrobot', 'pendulum', 'mountain-car', 'mountain-car-continuous']) {
    assert.equal(readFileSync(join(folder, `${name}.md`), 'utf8').match(/^<!-- table: /gm)?.length, 2, name);
  }
  for (const name of ['radio-resources', 'recommendation']) {
    assert.equal(readFileSync(join(folder, `${name}.md`), 'utf8').match(/^<!-- table: /gm)?.length, 3, name);
  }
});

/** A kind whose observation has the given names, one place after the other. */
function kindWith(names: readonly string[]): EnvironmentKind {
  const rows = names.map((name, index): SpaceRow => ({
    index: String(index),
    name,
    unit: 'm',
    low: -1,
    high: Infinity,
    meaning: 'x',
  }));
  const create = (): CartPole => {
    const environment = new CartPole();
    return Object.assign(environment, { description: { ...environment.description, observationTable: rows } });
  };
  return { name: 'toy', summary: '', parameters: { a: 'one | two' }, create };
}

const tableOf = (kind: EnvironmentKind, name = 'observation'): string[] =>
  withTables(`<!-- table: ${name} -->\nold\n<!-- end of table -->\n`, kind)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.replaceAll(/ +/g, ' '));

test('rows keep their places, bounds and units; infinite bounds have their sign', () => {
  assert.deepEqual(tableOf(kindWith(['first', 'second'])), [
    '| index | name | unit | low | high | meaning |',
    '| ----- | ------ | ---- | --- | ---- | ------- |',
    '| 0 | first | m | −1 | ∞ | x |',
    '| 1 | second | m | −1 | ∞ | x |',
  ]);
});

test('counted names become one row, families the features of one member with their stride', () => {
  const names = ['t0', 't1', 't2', 'u0.a', 'u0.b1', 'u0.b2', 'u1.a', 'u1.b1', 'u1.b2', 'end'];
  assert.deepEqual(tableOf(kindWith(names)).slice(2), [
    '| 0–2 | t0 … t2 | m | −1 | ∞ | x |',
    '| 3 + 3 i | u⟨i⟩.a | m | −1 | ∞ | x (i = 0 … 1) |',
    '| 4–5 + 3 i | u⟨i⟩.b1 … u⟨i⟩.b2 | m | −1 | ∞ | x (i = 0 … 1) |',
    '| 9 | end | m | −1 | ∞ | x |',
  ]);
});

test('a bar in a cell is escaped, and text outside of the marks stays', () => {
  assert.match(tableOf(kindWith(['a']), 'parameters')[2], /^\| `a` \| one \\\| two \|$/);
  assert.equal(withTables('# Title\n\ntext\n', kindWith(['a'])), '# Title\n\ntext\n');
});
