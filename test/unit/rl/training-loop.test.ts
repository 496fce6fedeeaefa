import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { ppo } from '../../../src/rl/algorithms/ppo.ts';
import { readCheckpoint } from '../../../src/rl/checkpoint.ts';
import type { Policy } from '../../../src/rl/policy.ts';
import { createTraining } from '../../../src/rl/training-loop.ts';
import type { Evaluator, Training, TrainingOptions, UpdateReport } from '../../../src/rl/training-loop.ts';
import { ConstantReward, ContextualBandit } from './toy-environments.ts';

const hyperparameters = {
  rolloutSteps: 64,
  minibatchSize: 24,
  epochs: 3,
  learningRate: 0.01,
  hiddenSizes: [16],
  normaliseObservations: true,
  scaleRewards: true,
};

/** Two bandits, ten updates. */
function options(others: Partial<TrainingOptions> = {}): TrainingOptions {
  return {
    algorithm: ppo,
    hyperparameters,
    environments: [new ContextualBandit(), new ContextualBandit()],
    seed: 9,
    totalSteps: 640,
    ...others,
  };
}

/** Runs `use` with a training and frees it afterwards. */
async function withTraining<T>(trainingOptions: TrainingOptions, use: (training: Training) => Promise<T>): Promise<T> {
  const training = await createTraining(trainingOptions);
  try {
    return await use(training);
  } finally {
    await training.dispose();
  }
}

const weightsOf = (checkpoint: Uint8Array): Float32Array => readCheckpoint(checkpoint).parameters;

/** Reports without what depends on the clock. */
const comparable = ({ step, update, metrics }: UpdateReport): object => ({
  step,
  update,
  ...metrics,
  stepsPerSecond: 0,
});

/** All reports and the final checkpoint of a training that nothing disturbs. */
async function undisturbed(
  others: Partial<TrainingOptions> = {},
): Promise<{ reports: object[]; checkpoint: Uint8Array }> {
  return withTraining(options(others), async (training) => {
    const reports: object[] = [];
    await training.run({ onUpdate: (report) => void reports.push(comparable(report)) });
    return { reports, checkpoint: training.checkpoint() };
  });
}

/** Scores the share of right choices in all contexts. */
const evaluator: Evaluator = async (policy) => {
  const actions = await policy.act(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), null);
  const right = [0, 0, 1, 1, 0, 2].filter((choice, i) => actions[i] === choice).length;
  return { score: right / 6, metrics: { right } };
};

test('the same seed gives the same metrics and the same checkpoint; another seed gives others', async () => {
  const first = await undisturbed();
  assert.equal(first.reports.length, 10);
  assert.deepEqual(await undisturbed(), first);
  const other = await undisturbed({ seed: 10 });
  assert.notDeepEqual(weightsOf(other.checkpoint), weightsOf(first.checkpoint));
});

test('going on from any checkpoint gives the reports and the bytes of an undisturbed training', async () => {
  const whole = await undisturbed({ evaluator, evaluationIntervalSteps: 128 });
  const checkpoints: Uint8Array[] = [];
  await withTraining(options({ evaluator, evaluationIntervalSteps: 128 }), (training) =>
    training.run({ onCheckpoint: ({ bytes }) => void checkpoints.push(bytes) }),
  );
  assert.equal(checkpoints.length, 10);
  for (const index of [0, 4, 9]) {
    const rest = await undisturbed({ evaluator, evaluationIntervalSteps: 128, checkpoint: checkpoints[index] });
    assert.deepEqual(rest.reports, whole.reports.slice(index + 1), `from checkpoint ${index}`);
    assert.deepEqual(rest.checkpoint, whole.checkpoint, `from checkpoint ${index}`);
  }
});

test('separate processes, one of them stopped half-way and gone on with in another, end with the same weights', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-training-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(import.meta.dirname, 'train-in-process.ts');
  const train = async (stopAt: number, file: string): Promise<string> =>
    (await promisify(execFile)(process.execPath, [program, String(stopAt), join(folder, file)])).stdout;
  const [whole, half] = await Promise.all([train(640, 'whole'), train(320, 'interrupted')]);
  assert.match(half, /^320 [0-9a-f]{64}$/);
  assert.match(whole, /^640 [0-9a-f]{64}$/);
  assert.equal(await train(640, 'interrupted'), whole);
});

test('the best weights are kept, exported and survive a checkpoint', async () => {
  const scores = new Map([
    [128, 0.5],
    [256, 0.9],
    [384, 0.9],
    [512, 0.1],
    [640, 0.2],
  ]);
  const scripted: Evaluator = async (_policy, { step }) => ({ score: scores.get(step)! });
  const seen: [number, boolean][] = [];
  const { checkpoint, exported, weights } = await withTraining(
    options({ evaluator: scripted, evaluationIntervalSteps: 128 }),
    async (training) => {
      let weights: Float32Array | null = null;
      const outcome = await training.run({
        onEvaluation: ({ step, best }) => void seen.push([step, best]),
        onCheckpoint: ({ step, bytes }) => {
          if (step === 384) weights = weightsOf(bytes);
        },
      });
      assert.deepEqual(outcome, { status: 'completed', step: 640, best: { step: 384, score: 0.9 } });
      return {
        checkpoint: training.checkpoint(),
        exported: await training.exportPolicy(),
        weights: weights! as Float32Array,
      };
    },
  );
  assert.deepEqual(seen, [
    [128, true],
    [256, true],
    [384, true],
    [512, false],
    [640, false],
  ]);
  assert.deepEqual([exported.metadata.trainedSteps, exported.metadata.score], [384, 0.9]);
  const best = readCheckpoint(checkpoint).arrays['best.parameters'];
  assert.deepEqual(best, weights.subarray(0, best.length));
  await withTraining(options({ evaluator: scripted, checkpoint }), async (training) => {
    assert.deepEqual((await training.exportPolicy('best')).onnx, exported.onnx);
    assert.notDeepEqual((await training.exportPolicy('latest')).onnx, exported.onnx);
  });
});

test('the evaluator sees the policy of its step, and its score is that of the exported policy', async () => {
  await withTraining(options({ evaluator, evaluationIntervalSteps: 640 }), async (training) => {
    let reported = -1;
    await training.run({ onEvaluation: ({ score }) => void (reported = score) });
    const policy = await training.policy('best');
    const again = await evaluator(policy, { step: 640, signal: new AbortController().signal });
    assert.equal(again.score, reported);
    assert.ok(reported > 0.6, `learned: ${reported}`);
    await policy.dispose();
  });
});

test('the signal stops at the next boundary with a checkpoint, and run goes on afterwards', async () => {
  const whole = await undisturbed();
  await withTraining(options(), async (training) => {
    const stop = new AbortController();
    const checkpoints: number[] = [];
    const outcome = await training.run({
      signal: stop.signal,
      onUpdate: ({ step }) => {
        if (step === 192) stop.abort();
      },
      onCheckpoint: ({ step }) => void checkpoints.push(step),
    });
    assert.deepEqual([outcome.status, outcome.step, checkpoints.at(-1)], ['cancelled', 192, 192]);
    assert.equal((await training.run()).status, 'completed');
    assert.deepEqual(training.checkpoint(), whole.checkpoint);
  });
});

test('a signal during an evaluation takes the update back, so that going on repeats both', async () => {
  const setting = { evaluator, evaluationIntervalSteps: 128 };
  const whole = await undisturbed(setting);
  const stop = new AbortController();
  const interrupted: Evaluator = async (policy: Policy, context) => {
    if (context.step === 256) stop.abort();
    context.signal.throwIfAborted();
    return evaluator(policy, context);
  };
  await withTraining(options({ ...setting, evaluator: interrupted }), async (training) => {
    const outcome = await training.run({ signal: stop.signal });
    assert.deepEqual([outcome.status, outcome.step], ['cancelled', 192]);
    const rest = await undisturbed({ ...setting, checkpoint: training.checkpoint() });
    assert.deepEqual(rest.checkpoint, whole.checkpoint);
  });
});

test('a training that is aborted before it starts does nothing', async () => {
  await withTraining(options(), async (training) => {
    const handed: number[] = [];
    const outcome = await training.run({
      signal: AbortSignal.abort(),
      onCheckpoint: ({ step }) => void handed.push(step),
    });
    assert.deepEqual([outcome.status, outcome.step, handed], ['cancelled', 0, []]);
  });
});

test('checkpoints come at the asked interval and at the end', async () => {
  await withTraining(options({ checkpointIntervalSteps: 200 }), async (training) => {
    const steps: number[] = [];
    await training.run({ onCheckpoint: ({ step }) => void steps.push(step) });
    assert.deepEqual(steps, [256, 512, 640]);
  });
});

test('callbacks are waited for, in order', async () => {
  await withTraining(options({ totalSteps: 128, evaluator, evaluationIntervalSteps: 64 }), async (training) => {
    const events: string[] = [];
    const slowly = (what: string) => async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      events.push(what);
    };
    await training.run({
      onUpdate: slowly('update'),
      onEvaluation: slowly('evaluation'),
      onCheckpoint: slowly('checkpoint'),
    });
    assert.deepEqual(events, ['update', 'evaluation', 'checkpoint', 'update', 'evaluation', 'checkpoint']);
  });
});

const constant = (reward: (step: number) => number): TrainingOptions =>
  options({
    algorithm: ppo,
    hyperparameters: { rolloutSteps: 64, minibatchSize: 24, epochs: 3, hiddenSizes: [16] },
    environments: [new ConstantReward(5, 'truncated', reward)],
  });

test('a reward that is not finite ends the training, which still has the last boundary', async () => {
  await withTraining(
    constant((step) => (step === 150 ? NaN : 1)),
    async (training) => {
      let before: Uint8Array | null = null;
      const running = training.run({ onCheckpoint: ({ bytes }) => void (before = bytes) });
      await assert.rejects(running, { code: 'TRAINING_DIVERGED', message: /reward of environment 0 .* is NaN/ });
      assert.equal(training.step, 128);
      assert.deepEqual(training.checkpoint(), before);
      assert.equal((await training.exportPolicy()).metadata.trainedSteps, 128);
    },
  );
});

test('a loss that is not finite ends the training naming it and the update, with the weights intact', async () => {
  await withTraining(
    constant((step) => (step > 64 ? 1e30 : 1)),
    async (training) => {
      await assert.rejects(training.run(), {
        code: 'TRAINING_DIVERGED',
        message: /PPO diverged: .* is .* at minibatch update \d+/,
      });
      assert.equal(training.step, 64);
      assert.ok(weightsOf(training.checkpoint()).every(Number.isFinite));
    },
  );
});

test('a score that is not finite ends the training', async () => {
  const broken: Evaluator = async () => ({ score: NaN });
  await withTraining(options({ evaluator: broken }), async (training) => {
    await assert.rejects(training.run(), { code: 'TRAINING_DIVERGED', message: /score is NaN at step 64/ });
  });
});

test('a checkpoint of another agent, seed or number of environments is refused', async () => {
  const { checkpoint } = await undisturbed({ totalSteps: 64 });
  const others: Partial<TrainingOptions>[] = [
    { hyperparameters: { ...hyperparameters, learningRate: 0.02 } },
    { seed: 8 },
    { environments: [new ContextualBandit()] },
    { environments: [new ConstantReward(5, 'truncated'), new ConstantReward(5, 'truncated')] },
  ];
  for (const other of others) {
    await assert.rejects(createTraining(options({ ...other, checkpoint })), { code: 'CHECKPOINT_INVALID' });
  }
});

test('numbers out of range and environments that do not fit together are refused', async () => {
  const bad: Partial<TrainingOptions>[] = [
    { totalSteps: 0 },
    { totalSteps: 1.5 },
    { seed: -1 },
    { seed: 2 ** 32 },
    { checkpointIntervalSteps: 0 },
  ];
  for (const other of bad)
    await assert.rejects(createTraining(options(other)), { code: 'SPEC_INVALID' }, JSON.stringify(other));
  await assert.rejects(createTraining(options({ environments: [] })), { code: 'ENVIRONMENT_INVALID' });
  const mixed = [new ContextualBandit(), new ConstantReward(5, 'truncated')];
  await assert.rejects(createTraining(options({ environments: mixed })), { code: 'ENVIRONMENT_INVALID' });
});

test('a device that is not there is refused before anything runs', async () => {
  await assert.rejects(createTraining(options({ device: 'cuda:63' })), { code: 'DEVICE_UNAVAILABLE' });
});
