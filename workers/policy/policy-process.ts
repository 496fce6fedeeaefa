import { loadPolicy } from '../../src/rl/policy.ts';
import type { Policy } from '../../src/rl/policy.ts';
import type { FromPolicy, Question, ToPolicy } from './protocol.ts';

/** The process of one policy: loads it, and answers questions until the channel to its worker is gone. */
process.once('disconnect', () => process.exit(0));

let policy: Policy | null = null;
/** Questions are answered one after the other: a policy's session takes one call at a time. */
let before: Promise<void> = Promise.resolve();

process.on('message', (message: ToPolicy) => {
  before = before.then(() => handle(message));
});
tell({ kind: 'ready' });

function tell(message: FromPolicy): void {
  process.send?.(message);
}

async function handle(message: ToPolicy): Promise<void> {
  const id = message.kind === 'ask' ? message.id : null;
  try {
    if (message.kind === 'load') {
      policy = await loadPolicy(message.onnx);
      tell({ kind: 'loaded' });
    } else if (policy === null) throw new Error('No policy was loaded.');
    else tell({ kind: 'answer', id: message.id, ...(await answer(policy, message)) });
  } catch (error) {
    tell({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) });
  }
}

async function answer(asked: Policy, { observation, mask, memory }: Question) {
  const given = [observation.length, mask?.length ?? asked.actionMaskSize, memory.length || asked.memorySize];
  const taken = [asked.observationSize, asked.actionMaskSize, asked.memorySize];
  if (given.some((length, i) => length !== taken[i])) {
    const sentence = ([numbers, choices, remembered]: number[]): string =>
      `${numbers} numbers, ${choices} choices and ${remembered} numbers of memory`;
    throw new Error(`The policy takes ${sentence(taken)}; it was asked with ${sentence(given)}.`);
  }
  const next = memory.length === 0 ? new Float32Array(asked.memorySize) : memory;
  return { action: Array.from(await asked.act(observation, mask, next)), memory: next };
}
