import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseOnlineBoutiqueParameters } from '../../../src/rl/environments/online-boutique/options.ts';
import { scalingKindNamed } from '../../../src/rl/environments/scaling-kinds.ts';
import { readRunSpecText } from '../../../src/spec/run-spec-text.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';

const folder = join(import.meta.dirname, '../../../config/pipelines');
const names = readdirSync(folder);

function textOf(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** Paths of all single values and lists in a spec, but for what plug-ins check. */
function pathsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || /meters$/.test(path)) return [path];
  return Object.entries(value).flatMap(([key, child]) => pathsOf(child, path === '' ? key : `${path}.${key}`));
}

describe('the bundled pipelines', () => {
  test('are online-boutique.yaml and examples beside it', () => {
    assert.ok(names.includes('online-boutique.yaml'));
    assert.ok(names.every((name) => name.endsWith('.yaml')));
  });

  for (const name of names) {
    test(`${name} is a valid spec that names its schema for editors`, () => {
      const spec = parseRunSpec(readRunSpecText(textOf(name), 'yaml'));
      assert.match(textOf(name), /^# yaml-language-server: \$schema=\.\.\/run-spec\.schema\.json\n/);
      assert.equal(scalingKindNamed(spec.environment.name).needsTwin, spec.collect.source.kind === 'cluster');
      assert.equal(spec.agent.algorithm, 'ppo');
    });

    test(`${name} gives parameters that its environment accepts`, () => {
      const { parameters } = parseRunSpec(readRunSpecText(textOf(name), 'yaml')).environment;
      assert.deepEqual(parseOnlineBoutiqueParameters(parameters), parameters);
    });
  }

  test('online-boutique.yaml writes out every field and explains each where it stands', () => {
    const raw = readRunSpecText(textOf('online-boutique.yaml'), 'yaml');
    assert.deepEqual(pathsOf(raw).sort(), pathsOf(parseRunSpec(raw)).sort());
    const unexplained = textOf('online-boutique.yaml')
      .split('\n')
      .filter((line) => /^ *\w+: ./.test(line) && !line.includes(' # '));
    assert.deepEqual(unexplained, []);
  });
});
