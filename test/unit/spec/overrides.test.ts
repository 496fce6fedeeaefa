import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyOverrides } from '../../../src/spec/overrides.ts';

function assertRefused(override: string, message: RegExp, spec: unknown = { a: { list: [1, 2] }, n: 1 }): void {
  assert.throws(() => applyOverrides(spec, [override]), { code: 'SPEC_INVALID', message });
}

describe('applyOverrides', () => {
  test('sets values in order and leaves the given spec alone', () => {
    const spec = { train: { seeds: [1, 2], totalSteps: 5 } };
    const changed = applyOverrides(spec, [
      'train.totalSteps=7',
      'train.seeds[1]=9',
      'train.seeds.2=4',
      'train.totalSteps=8',
    ]);
    assert.deepEqual(changed, { train: { seeds: [1, 9, 4], totalSteps: 8 } });
    assert.deepEqual(spec, { train: { seeds: [1, 2], totalSteps: 5 } });
  });

  test('takes JSON for JSON and anything else for text', () => {
    const changed = applyOverrides({}, [
      'a=[1,2]',
      'b=true',
      'c=null',
      'd=1e3',
      'e=plain = text',
      'f="12"',
      'g=',
      'h={"i":1}',
    ]);
    assert.deepEqual(changed, { a: [1, 2], b: true, c: null, d: 1000, e: 'plain = text', f: '12', g: '', h: { i: 1 } });
  });

  test('makes the objects on the way', () => {
    assert.deepEqual(applyOverrides(null, ['collect.source.days=2']), { collect: { source: { days: 2 } } });
  });

  test('refuses what has no such form', () => {
    for (const override of ['train', '=1', 'a b=1', 'a..b=1', 'a[x]=1', ''])
      assertRefused(override, /expected path=value/);
  });

  test('refuses to reach prototypes', () => {
    assertRefused('__proto__.polluted=1', /expected path=value/);
    applyOverrides({}, ['constructor.prototype.polluted=1']);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  test('refuses a path through a single value, a name into a list and a place that a list does not have', () => {
    assertRefused('n.deep=1', /--set n\.deep=1: n holds a single value/);
    assertRefused('a.list.first=1', /list is a list: name a place, such as \[0\]/);
    assertRefused('a[0]=1', /a is an object: name a field/);
    assertRefused('a.list[3]=1', /no place \[3\] yet/);
  });
});
