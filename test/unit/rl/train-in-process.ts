import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { ppo } from '../../../src/rl/algorithms/ppo.ts';
import { readCheckpoint } from '../../../src/rl/checkpoint.ts';
import { createTraining } from '../../../src/rl/training-loop.ts';
import { ContextualBandit } from './toy-environments.ts';

// A process of its own for training-loop.test.ts: [steps to stop after] [checkpoint file, gone on from when it is there].
const [stopAt, file] = process.argv.slice(2);
const stop = new AbortController();
const training = await createTraining({
  algorithm: ppo,
  hyperparameters: {
    rolloutSteps: 64,
    minibatchSize: 24,
    epochs: 3,
    hiddenSizes: [16],
    normaliseObservations: true,
  },
  environments: [new ContextualBandit(), new ContextualBandit()],
  seed: 9,
  totalSteps: 640,
  ...(existsSync(file) ? { checkpoint: new Uint8Array(readFileSync(file)) } : {}),
});
await training.run({
  signal: stop.signal,
  onUpdate: ({ step }) => {
    if (step >= Number(stopAt)) stop.abort();
  },
});
const bytes = training.checkpoint();
writeFileSync(file, bytes);
const { parameters } = readCheckpoint(bytes);
process.stdout.write(`${training.step} ${createHash('sha256').update(parameters).digest('hex')}`);
