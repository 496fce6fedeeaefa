import type { Environment } from '../../../../src/rl/environment.ts';
import { ConstantReward, ContextualBandit } from '../toy-environments.ts';

/** What an environment of an actor process is to do beside being a toy. */
export interface ActorToyOptions {
  readonly toy: 'bandit' | 'constant';
  /** In the process of an actor, not in that of the training, from this step of its life on. Default never. */
  readonly trouble?: { readonly kind: 'exit' | 'hang' | 'throw' | 'nan'; readonly afterSteps: number };
  /** Processes with odd ids are slower at every hundredth step. */
  readonly unevenly?: boolean;
}

/** A toy that reports the id of its process as a measure. */
export function createActorToy({ toy, trouble, unevenly }: ActorToyOptions): Environment {
  const environment = toy === 'bandit' ? new ContextualBandit() : new ConstantReward(12, 'truncated');
  const step = environment.step.bind(environment);
  let lived = 0;
  environment.step = (action: Int32Array) => {
    lived++;
    if (trouble && lived > trouble.afterSteps) makeTrouble(trouble.kind);
    if (unevenly && lived % 100 === process.pid % 100 && process.pid % 2 === 1) sleep(3);
    const transition = step(action);
    const reward = trouble?.kind === 'nan' && lived > trouble.afterSteps ? NaN : transition.reward;
    return { ...transition, reward, measures: { processId: process.pid } };
  };
  return environment;
}

function makeTrouble(kind: 'exit' | 'hang' | 'throw' | 'nan'): void {
  if (kind === 'exit') process.exit(7);
  if (kind === 'hang') sleep(60_000);
  if (kind === 'throw') throw new Error('the toy broke');
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
