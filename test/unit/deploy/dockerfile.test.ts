import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { nodeOptionsOf } from '../../../config/node-options.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json'));

interface Stage {
  readonly name: string;
  readonly base: string;
  readonly lines: readonly string[];
}

/** The stages of the Dockerfile with their instructions, lines that go on joined. */
function stages(): Stage[] {
  const lines = read('deploy/images/Dockerfile')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const found: { name: string; base: string; lines: string[] }[] = [];
  for (const line of lines) {
    const from = /^FROM (\S+) AS (\S+)$/.exec(line);
    if (from !== null) found.push({ base: from[1], name: from[2], lines: [] });
    else found.at(-1)?.lines.push(line);
  }
  return found;
}

/** Instructions of a stage and of those that it is built on, lowest first. */
function instructionsOf(name: string): string[] {
  const stage = stages().find((candidate) => candidate.name === name);
  return stage === undefined ? [] : [...instructionsOf(stage.base), ...stage.lines];
}

const programs = ['orchestrator', 'trainer-cpu', 'trainer-gpu', 'control', 'api'];

describe('the images', () => {
  test('there is one for each program of the chart', () => {
    const names = stages().map(({ name }) => name);
    for (const program of programs) assert.ok(names.includes(program), program);
    assert.deepEqual(
      [...read('deploy/helm/coxswain/templates/_names.tpl').matchAll(/^([a-z-]+): [a-zA-Z]+$/gm)].map(
        ([, name]) => name,
      ),
      ['orchestrator', 'trainer-cpu', 'trainer-gpu', 'control', 'api'],
    );
  });

  for (const program of programs) {
    test(`${program} runs as a numbered user who is not root, with a health check, and starts by itself`, () => {
      const instructions = instructionsOf(program);
      assert.equal(
        instructions.findLast((line) => line.startsWith('USER ')),
        'USER 10001:10001',
      );
      assert.ok(instructions.some((line) => line.startsWith('HEALTHCHECK ')));
      const command = instructions.findLast((line) => line.startsWith('CMD '))!;
      const words = JSON.parse(command.slice('CMD '.length)) as string[];
      const options = nodeOptionsOf(program);
      assert.deepEqual(words.slice(0, options.length), options);
      const path = words[options.length];
      const source = join(root, path.replace(/^dist\//, '').replace(/\.js$/, '.ts'));
      assert.ok(existsSync(source), source);
    });
  }

  test('have the Node, the ONNX Runtime and the user that the project and the chart name', () => {
    const file = read('deploy/images/Dockerfile');
    assert.match(file, new RegExp(`^ARG NODE_IMAGE=node:${manifest.devDependencies.node}-`, 'm'));
    const wheels = read('deploy/images/cuda-requirements.txt');
    assert.match(wheels, new RegExp(`^onnxruntime-gpu==${manifest.optionalDependencies['onnxruntime-node']} `, 'm'));
    for (const line of wheels.split('\n').filter((text) => /^[a-z]/.test(text)))
      assert.match(line, /^[a-z-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}$/);
    assert.match(read('deploy/helm/coxswain/values.yaml'), /^runAsUser: 10001$/m);
  });

  test('no secret is given to a build', () => {
    assert.doesNotMatch(read('deploy/images/Dockerfile'), /^(ARG|ENV) .*(TOKEN|KEY|SECRET|PASSWORD)/m);
    assert.doesNotMatch(read('deploy/images/Dockerfile.dockerignore'), /!.*(\.env|\.git|test)/);
  });
});
