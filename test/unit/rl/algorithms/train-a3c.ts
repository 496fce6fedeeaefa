import { a3c } from '../../../../src/rl/algorithms/a3c.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import { createActorToy } from './actor-toys.ts';

// A process of its own for a3c.test.ts: it trains without end and writes its actor's process id after each iteration.
const toy = { toy: 'bandit' as const };
const training = await createTraining({
  algorithm: a3c,
  environments: [createActorToy(toy)],
  recipe: { module: new URL('./actor-toys.ts', import.meta.url).href, factory: createActorToy.name, options: toy },
  seed: 1,
  totalSteps: Number.MAX_SAFE_INTEGER,
});
await training.run({
  onUpdate: ({ metrics }) => void process.stdout.write(`${metrics.measures.processId}\n`),
});
