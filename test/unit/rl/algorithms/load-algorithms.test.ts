import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';

import { algorithms } from '../../../../src/rl/algorithms/index.ts';
import { algorithmNamed, loadAlgorithm, loadAlgorithms } from '../../../../src/rl/algorithms/load-algorithms.ts';
import { algorithmSuite } from '../../../contracts/algorithm-suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-algorithm-'));
after(() => rmSync(folder, { recursive: true }));

/** A module outside of the project. */
function moduleOf(text: string): string {
  const path = join(mkdtempSync(join(folder, 'of-')), 'mine.mjs');
  writeFileSync(path, text);
  return path;
}

const guide = readFileSync(new URL('../../../../docs/guides/algorithms.md', import.meta.url), 'utf8');
const example = /```js\n([\s\S]+?)```/.exec(guide)![1];
const hillClimbing = await loadAlgorithm(moduleOf(example));

algorithmSuite({ algorithm: hillClimbing, hyperparameters: { roundSteps: 16 } });

test("modules add to our own algorithms, and the guide's example is one", async () => {
  const all = await loadAlgorithms([moduleOf(example)]);
  assert.deepEqual(Object.keys(all).sort(), [...Object.keys(algorithms), 'hill-climbing'].sort());
  assert.equal(algorithmNamed('hill-climbing', all, 'agent.algorithm').name, 'hill-climbing');
});

test('a name that nobody has is refused with the nearest', () => {
  assert.throws(() => algorithmNamed('pppo', algorithms, 'agent.algorithm'), {
    code: 'SPEC_INVALID',
    message: /agent\.algorithm: found "pppo"; nearest: ppo; allowed: /,
  });
});

test('two modules with one name are refused', async () => {
  await assert.rejects(loadAlgorithms([moduleOf(example), moduleOf(example)]), {
    code: 'ALGORITHM_INVALID',
    message: /mine\.mjs: the name hill-climbing is taken/,
  });
});

const broken: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a file that is not there': ['', /default export must be an object/],
  'a file that throws': ['throw new Error("no luck");', /cannot be loaded: no luck/],
  'a file that is no JavaScript': ['export default {', /cannot be loaded/],
  'a name with capitals': [example.replace("'hill-climbing'", "'HillClimbing'"), /name is "HillClimbing"/],
  'an unknown kind of action space': [example.replace("['discrete']", "['words']"), /actionSpaces must list some of/],
  'no create': [example.replace('create(', 'make('), /create must be a function/],
  'conflicts that are no function': [
    example.replace('masks: false', 'masks: false, conflicts: []'),
    /conflicts must be/,
  ],
  'needsGraph that is no flag': [
    example.replace('masks: false', "masks: false, needsGraph: 'no'"),
    /needsGraph must be/,
  ],
  'a hyperparameter without a rule': [example.replace(/rule:.*\n/, ''), /hyperparameter roundSteps must have/],
  'a default that breaks its rule': [example.replace('default: 2000', 'default: 0.5'), /default of roundSteps breaks/],
};
for (const [name, [text, message]] of Object.entries(broken)) {
  test(`${name} is refused with what is wrong`, async () => {
    await assert.rejects(loadAlgorithm(moduleOf(text)), { code: 'ALGORITHM_INVALID', message });
  });
}
