import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { A3cModel, a3c } from '../../../../src/rl/algorithms/a3c.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import type { Training, TrainingOptions, UpdateReport } from '../../../../src/rl/training-loop.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { ContextualBandit } from '../toy-environments.ts';
import { createActorToy } from './actor-toys.ts';
import type { ActorToyOptions } from './actor-toys.ts';

const quick = { hiddenSizes: [16], learningRate: 0.01 };

/** A training with two actors. */
function training(toy: ActorToyOptions, others: Partial<TrainingOptions> = {}): Promise<Training> {
  return createTraining({
    algorithm: a3c,
    hyperparameters: quick,
    environments: [0, 1].map(() => createActorToy({ toy: toy.toy })),
    recipe: { module: new URL('./actor-toys.ts', import.meta.url).href, factory: createActorToy.name, options: toy },
    seed: 3,
    totalSteps: 4 * 2050,
    ...others,
  });
}

/** Trains to the end and frees the training. */
async function trained(
  toy: ActorToyOptions,
  others: Partial<TrainingOptions> = {},
): Promise<{ reports: UpdateReport[]; checkpoints: Uint8Array[] }> {
  const it = await training(toy, others);
  const reports: UpdateReport[] = [];
  const checkpoints: Uint8Array[] = [];
  await it.run({
    onUpdate: (report) => void reports.push(report),
    onCheckpoint: ({ bytes }) => void checkpoints.push(bytes),
  });
  await it.dispose();
  return { reports, checkpoints };
}

const weightsOf = (checkpoint: Uint8Array): Float32Array => readCheckpoint(checkpoint).parameters;

function lives(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

test('in turn, the same seed gives the same weights whoever is faster, also gone on from a checkpoint', async () => {
  const whole = await trained({ toy: 'bandit' });
  assert.ok(whole.reports.at(-1)!.metrics.rewardMean > 1.8, 'the bandit is all but solved');
  const uneven = await trained({ toy: 'bandit', unevenly: true }, { checkpoint: whole.checkpoints[1] });
  assert.equal(uneven.reports.length, 2, 'it went on from the middle');
  assert.deepEqual(weightsOf(uneven.checkpoints.at(-1)!), weightsOf(whole.checkpoints.at(-1)!));
  const figures = ({ step, metrics: { stepsPerSecond: _, measures: __, ...others } }: UpdateReport): object => ({
    step,
    ...others,
  });
  assert.deepEqual(uneven.reports.map(figures), whole.reports.slice(2).map(figures));
});

test('on arrival, the bandit is solved too, and every gradient counts', async () => {
  const hyperparameters = { ...quick, deterministic: false };
  const { reports, checkpoints } = await trained({ toy: 'bandit', unevenly: true }, { hyperparameters });
  assert.ok(reports.at(-1)!.metrics.rewardMean > 1.8, String(reports.at(-1)!.metrics.rewardMean));
  const { updates } = (readCheckpoint(checkpoints.at(-1)!).values as { agent: { updates: number } }).agent;
  assert.equal(updates, (4 * 2050) / 5);
});

test('episodes go on over the iterations and are counted in the training; dispose ends the actors', async () => {
  const it = await training(
    { toy: 'constant' },
    { environments: [createActorToy({ toy: 'constant' })], totalSteps: 4096 },
  );
  const reports: UpdateReport[] = [];
  await it.run({ onUpdate: (report) => void reports.push(report) });
  assert.deepEqual(
    reports.map(({ step, metrics }) => [step, metrics.episodes]),
    [
      [2050, 170],
      [4100, 341],
    ],
  );
  const [{ metrics }] = reports;
  assert.deepEqual([metrics.rewardMean, metrics.episodeReturn, metrics.episodeLength], [1, 12, 12]);
  const { processId } = metrics.measures;
  assert.ok(processId !== process.pid && lives(processId), 'it acted in a process of its own');
  await it.dispose();
  assert.equal(lives(processId), false);
});

const troubles = [
  ['exit', 'CHILD_PROCESS_FAILED', /Actor 0 ended early with exit code 7/],
  ['hang', 'CHILD_PROCESS_FAILED', /Actor 0 did not answer "go-on" within 1.5 s.*actorPatienceSeconds/],
  ['throw', 'INTERNAL', /Actor 0: the toy broke/],
  ['nan', 'TRAINING_DIVERGED', /Actor 0: The reward of environment 0 .* is NaN/],
] as const;

const alone = { environments: [createActorToy({ toy: 'bandit' })], totalSteps: 3 * 2050 };
let undisturbed: ReturnType<typeof trained> | null = null;

for (const [kind, code, message] of troubles) {
  test(`an actor in trouble (${kind}) is an error that says so; the training stands where it stood`, async () => {
    const hyperparameters = { ...quick, actorPatienceSeconds: 1.5 };
    const it = await training({ toy: 'bandit', trouble: { kind, afterSteps: 2600 } }, { ...alone, hyperparameters });
    let processId = 0;
    const failure = await it.run({ onUpdate: ({ metrics }) => void (processId = metrics.measures.processId) }).then(
      () => assert.fail('the training went through'),
      (error: unknown) => error as { code: string; message: string },
    );
    assert.equal(failure.code, code);
    assert.match(failure.message, message);
    assert.equal(lives(processId), false, 'no process is left');
    assert.equal(it.step, 2050);
    undisturbed ??= trained({ toy: 'bandit' }, { ...alone, hyperparameters });
    assert.deepEqual(weightsOf(it.checkpoint()), weightsOf((await undisturbed).checkpoints[0]));
    await it.dispose();
  });
}

test('actors die with their training', async () => {
  const program = fileURLToPath(new URL('./train-a3c.ts', import.meta.url));
  const child = fork(program, [], { execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  const processId = Number(line.trim().split('\n')[0]);
  assert.ok(processId !== child.pid && lives(processId));
  child.kill('SIGKILL');
  await once(child, 'exit');
  for (let waited = 0; lives(processId) && waited < 5000; waited += 20) await sleep(20);
  assert.equal(lives(processId), false);
});

test('without a recipe the training is refused with what to do', async () => {
  await assert.rejects(training({ toy: 'bandit' }, { recipe: undefined }), {
    code: 'ENVIRONMENT_INVALID',
    message: /does not say how they can make the environment.*recipe.*choose a2c/,
  });
});

test('a recipe that names nothing, or another environment, is refused', async () => {
  const recipe = { module: new URL('./actor-toys.ts', import.meta.url).href, factory: 'nothing', options: null };
  const cases = [
    [recipe, /names the function nothing/],
    [{ ...recipe, module: 'file:///nowhere.ts' }, /cannot be loaded: Cannot find module/],
    [{ ...recipe, factory: createActorToy.name, options: { toy: 'constant' } }, /with other spaces/],
  ] as const;
  for (const [given, message] of cases) {
    const it = await training({ toy: 'bandit' }, { ...alone, recipe: given });
    await assert.rejects(it.run(), { code: 'ENVIRONMENT_INVALID', message });
    await it.dispose();
  }
});

test('the shared optimiser makes the update of RMSprop with ε under the root', async () => {
  const config = a3c.configure({ hiddenSizes: [4], maxGradientNorm: 1e6, rmspropEpsilon: 0.1 });
  const model = new A3cModel(config, new ContextualBandit().description);
  const program = await compile((inputs) => model.update(inputs), model.updateInputs);
  const generator = new Generator(1);
  const draw = (): Float32Array => Float32Array.from({ length: model.networks.layout.size }, () => generator.normal());
  const [parameters, gradient] = [draw(), draw()];
  const squares = draw().map((value) => value * value);
  const results = await program.run({ parameters, squares, gradient, learningRate: Float32Array.of(0.01) });
  await program.dispose();
  parameters.forEach((value, i) => {
    const square = 0.99 * squares[i] + 0.01 * gradient[i] ** 2;
    const expected = value - (0.01 * gradient[i]) / Math.sqrt(square + 0.1);
    assert.ok(Math.abs(results.newParameters[i] - expected) < 1e-6, `${i}: ${results.newParameters[i]}, ${expected}`);
  });
});
