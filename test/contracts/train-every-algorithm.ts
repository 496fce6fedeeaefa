import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';

import { createToy } from '../../src/rl/algorithm-check/toys.ts';
import { algorithms } from '../../src/rl/algorithms/index.ts';
import { readCheckpoint } from '../../src/rl/checkpoint.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import { quickHyperparameters } from './quick-hyperparameters.ts';

// A process of its own: trains every algorithm for a few iterations, from the checkpoints in a folder where there are
// some. A point on standard output for each checkpoint, a line `name sha256` for each finished algorithm.
const [folder] = process.argv.slice(2);
const iterations = 5;

for (const [name, hyperparameters] of Object.entries(quickHyperparameters)) {
  const algorithm = algorithms[name];
  const toy = { kind: algorithm.actionSpaces[0], masks: algorithm.masks, graph: algorithm.needsGraph };
  const file = join(folder, name);
  const training = await createTraining({
    algorithm,
    hyperparameters,
    environments: [createToy(toy), createToy(toy)],
    recipe: {
      module: new URL(`../../src/rl/algorithm-check/toys${extname(import.meta.url)}`, import.meta.url).href,
      factory: createToy.name,
      options: toy,
    },
    seed: 3,
    totalSteps: 1_000_000,
    ...(existsSync(file) ? { checkpoint: new Uint8Array(readFileSync(file)) } : {}),
  });
  const stop = new AbortController();
  if (existsSync(file) && iterationsIn(file) >= iterations) stop.abort();
  await training.run({
    signal: stop.signal,
    onUpdate({ update }) {
      if (update >= iterations) stop.abort();
    },
    onCheckpoint({ bytes }) {
      writeFileSync(`${file}.draft`, bytes);
      renameSync(`${file}.draft`, file);
      process.stdout.write('.');
    },
  });
  const { parameters } = readCheckpoint(training.checkpoint());
  await training.dispose();
  process.stdout.write(`\n${name} ${createHash('sha256').update(parameters).digest('hex')}\n`);
}

function iterationsIn(path: string): number {
  return (readCheckpoint(new Uint8Array(readFileSync(path))).values as { update: number }).update;
}
