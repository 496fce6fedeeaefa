import { createHash } from 'node:crypto';
import { extname } from 'node:path';

import type { Algorithm } from '../algorithm.ts';
import { readCheckpoint } from '../checkpoint.ts';
import type { Space } from '../environment.ts';
import { loadPolicy } from '../policy.ts';
import { Generator } from '../random.ts';
import { createTraining } from '../training-loop.ts';
import type { Training, TrainingOptions, UpdateMetrics } from '../training-loop.ts';
import { createToy } from './toys.ts';
import type { ToyOptions } from './toys.ts';

/** What is checked. */
export interface AlgorithmCheckOptions {
  readonly algorithm: Algorithm;
  /** Hyperparameters under which it learns within some hundred steps. */
  readonly hyperparameters?: Readonly<Record<string, unknown>>;
  /** Environments side by side. Default 2. */
  readonly environments?: number;
}

/** One rule of the contract and what holds it against an algorithm. */
export interface AlgorithmRule {
  /** The rule as a sentence. */
  readonly title: string;
  /** @throws Error saying how the algorithm breaks the rule. */
  check(): Promise<void>;
}

/** Iterations of the trainings below; the middle one is where they are cut off and gone on from. */
const iterations = 4;

/**
 * The rules that every algorithm keeps, for each kind of action space that it declares. The contract suite of the tests
 * and `coxswain algorithm check` run the same.
 */
export function algorithmRules(options: AlgorithmCheckOptions): AlgorithmRule[] {
  const { algorithm } = options;
  const perSpace = algorithm.actionSpaces.flatMap((kind) => {
    const masks = algorithm.masks && kind !== 'box' ? [false, true] : [false];
    return masks.flatMap((masked) =>
      rulesIn(new Setting(options, { kind, masks: masked, graph: algorithm.needsGraph })),
    );
  });
  return [...generalRules(options), ...perSpace];
}

/** An algorithm in a toy of one kind. */
class Setting {
  readonly label: string;
  private readonly options: AlgorithmCheckOptions;
  private readonly toy: ToyOptions;

  constructor(options: AlgorithmCheckOptions, toy: ToyOptions) {
    this.options = options;
    this.toy = toy;
    this.label = `${toy.kind} actions${toy.masks ? ' with masks' : ''}`;
  }

  /** The toys of a training, and how other processes can make them. */
  toys(nanAfter?: number): Required<Pick<TrainingOptions, 'environments' | 'recipe'>> {
    const toy = { ...this.toy, nanAfter };
    return {
      environments: Array.from({ length: this.options.environments ?? 2 }, () => createToy(toy)),
      recipe: {
        module: new URL(`./toys${extname(import.meta.url)}`, import.meta.url).href,
        factory: createToy.name,
        options: toy,
      },
    };
  }

  training(others: Partial<TrainingOptions> = {}): Promise<Training> {
    const { algorithm, hyperparameters } = this.options;
    return createTraining({
      algorithm,
      hyperparameters,
      ...this.toys(),
      seed: 7,
      totalSteps: Number.MAX_SAFE_INTEGER,
      ...others,
    });
  }

  /** Runs `use` with a training and frees it afterwards. */
  async with<T>(others: Partial<TrainingOptions>, use: (training: Training) => Promise<T>): Promise<T> {
    const training = await this.training(others);
    try {
      return await use(training);
    } finally {
      await training.dispose();
    }
  }
}

/** Goes on for so many iterations. */
async function advance(training: Training, count: number): Promise<UpdateMetrics[]> {
  const reports: UpdateMetrics[] = [];
  const stop = new AbortController();
  await training.run({
    signal: stop.signal,
    onUpdate({ metrics }) {
      reports.push(metrics);
      if (reports.length === count) stop.abort();
    },
  });
  return reports;
}

function weightsOf(training: Training): string {
  return createHash('sha256').update(readCheckpoint(training.checkpoint()).parameters).digest('hex');
}

function rulesIn(setting: Setting): AlgorithmRule[] {
  const rule = (title: string, check: () => Promise<void>): AlgorithmRule => ({
    title: `${setting.label}: ${title}`,
    check,
  });
  const weightsAfter = (others: Partial<TrainingOptions>, count: number): Promise<string> =>
    setting.with(others, async (training) => {
      await advance(training, count);
      return weightsOf(training);
    });
  return [
    rule('it acts within the space, and learning changes its weights', () =>
      setting.with({}, async (training) => {
        const before = weightsOf(training);
        const reports = await advance(training, iterations);
        expect(reports.length === iterations, `only ${reports.length} of ${iterations} iterations were made`);
        expect(weightsOf(training) !== before, 'the weights never changed');
        const figures = Object.keys(reports.at(-1)!.learning);
        expect(figures.length > 0, 'learn returned no figures');
      }),
    ),
    rule('the same seed gives the same weights, another seed others', async () => {
      const first = await weightsAfter({}, iterations);
      expect((await weightsAfter({}, iterations)) === first, 'the same seed gave other weights');
      expect((await weightsAfter({ seed: 8 }, iterations)) !== first, 'another seed gave the same weights');
    }),
    rule('a training that goes on from a checkpoint ends with the weights of an undisturbed one', async () => {
      const undisturbed = await weightsAfter({}, iterations);
      const checkpoint = await setting.with({}, async (training) => {
        await advance(training, iterations / 2);
        return training.checkpoint();
      });
      expect((await weightsAfter({ checkpoint }, iterations / 2)) === undisturbed, 'the weights differ');
    }),
    rule('saving shares no memory: going on does not change a checkpoint', () =>
      setting.with({}, async (training) => {
        await advance(training, 1);
        const checkpoint = training.checkpoint();
        const copy = checkpoint.slice();
        await advance(training, 1);
        expect(Buffer.from(checkpoint).equals(copy), 'the bytes of a checkpoint changed afterwards');
      }),
    ),
    rule('after a reward that is NaN the training stands where it stood before that iteration', () =>
      setting.with({}, async (reference) => {
        await advance(reference, 2);
        const lived = reference.step / setting.toys().environments.length;
        // In the middle of the third iteration, so that there is something to undo; one of a single step has no middle.
        const broken = setting.toys(lived + Math.min(1, lived / 2 - 1));
        await setting.with(broken, async (training) => {
          const error: unknown = await training.run().then(
            () => null,
            (reason: unknown) => reason,
          );
          const code = (error as { code?: unknown } | null)?.code;
          expect(code === 'TRAINING_DIVERGED', `the error is ${String(error)}, not TRAINING_DIVERGED`);
          expect(training.step === reference.step, `the training stands at step ${training.step}`);
          expect(weightsOf(training) === weightsOf(reference), 'the weights are not those of that step');
          expect(
            Buffer.from(training.checkpoint()).equals(Buffer.from(reference.checkpoint())),
            'the checkpoint is not that of an undisturbed training at that step',
          );
        });
      }),
    ),
    rule('its exported policy acts within the space, the same from the file as from the training', () =>
      setting.with({}, async (training) => {
        await advance(training, 2);
        const { onnx } = await training.exportPolicy('latest');
        const [policy, own] = await Promise.all([loadPolicy(onnx), training.policy('latest')]);
        try {
          const [toy] = setting.toys().environments;
          for (let seed = 0; seed < 20; seed++) {
            const { observation, actionMask } = toy.reset(seed);
            const memory = (): Float32Array => new Float32Array(policy.memorySize);
            const action = await policy.act(observation, actionMask, memory());
            const same = await own.act(observation, actionMask, memory());
            expect(action.join() === same.join(), `seed ${seed}: ${action.join()} from the file, ${same.join()} else`);
            toy.step(action);
            const drawn = await policy.sample(toy.reset(seed).observation, actionMask, new Generator(seed), memory());
            toy.step(drawn);
          }
        } finally {
          await Promise.all([policy.dispose(), own.dispose()]);
        }
      }),
    ),
  ];
}

function generalRules({ algorithm }: AlgorithmCheckOptions): AlgorithmRule[] {
  return [
    {
      title: 'an unknown hyperparameter is refused by name, with the nearest valid one',
      async check() {
        const [name] = Object.keys(algorithm.hyperparameters);
        if (name === undefined) return;
        const error = thrownBy(() => algorithm.configure({ [`${name}X`]: 1 }));
        expect(error?.code === 'SPEC_INVALID', `the error is ${String(error)}, not SPEC_INVALID`);
        expect(error!.message.includes(`${name}X is unknown`), `the message does not name ${name}X: ${error!.message}`);
      },
    },
    {
      title: 'action spaces that it does not declare are refused',
      async check() {
        const kinds: Space['kind'][] = ['discrete', 'multi-discrete', 'box'];
        for (const kind of kinds.filter((candidate) => !algorithm.actionSpaces.includes(candidate))) {
          const error: unknown = await createTraining({
            algorithm,
            environments: [createToy({ kind, masks: false })],
            seed: 1,
            totalSteps: 1,
          }).then(
            () => null,
            (reason: unknown) => reason,
          );
          const code = (error as { code?: unknown } | null)?.code;
          expect(code === 'ENVIRONMENT_INVALID', `${kind}: the error is ${String(error)}, not ENVIRONMENT_INVALID`);
        }
      },
    },
  ];
}

function thrownBy(call: () => unknown): (Error & { code?: string }) | null {
  try {
    call();
    return null;
  } catch (error) {
    return error as Error;
  }
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
