/** A rollout's rewards and values: `steps` rows of `environments` columns, row by row. */
export interface RolloutValues {
  readonly environments: number;
  readonly rewards: Float32Array;
  /** Values of the observations that were acted on. */
  readonly values: Float32Array;
  /** 1 where the step ended an episode, by termination or truncation. */
  readonly ends: Uint8Array;
  /** Value of what follows each step that ended an episode: 0 after termination, the last observation's after truncation. */
  readonly endValues: Float32Array;
  /** Values of the observations after the last row, one an environment. */
  readonly nextValues: Float32Array;
}

/**
 * Generalised advantage estimation (Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage
 * Estimation", 2016, equations 11–16): δ = r + γ V(s′) − V(s), A = δ + γ λ A′ within an episode.
 *
 * Termination and truncation differ only in V(s′), which is why truncated episodes bootstrap.
 *
 * @returns advantages, in the layout of the rewards, and the value targets A + V.
 */
export function generalisedAdvantages(
  rollout: RolloutValues,
  discount: number,
  lambda: number,
): { advantages: Float32Array; returns: Float32Array } {
  const { environments, rewards, values, ends, endValues, nextValues } = rollout;
  const advantages = new Float32Array(rewards.length);
  const returns = new Float32Array(rewards.length);
  for (let environment = 0; environment < environments; environment++) {
    let following = nextValues[environment];
    let advantage = 0;
    for (let i = rewards.length - environments + environment; i >= 0; i -= environments) {
      const over = ends[i] === 1;
      const delta = rewards[i] + discount * (over ? endValues[i] : following) - values[i];
      advantage = delta + (over ? 0 : discount * lambda * advantage);
      advantages[i] = advantage;
      returns[i] = advantage + values[i];
      following = values[i];
    }
  }
  return { advantages, returns };
}

/**
 * Advantages of each minibatch brought to mean 0 and deviation 1 (with n − 1), in the order of the picks. A minibatch of
 * one sample is left as it is.
 */
export function normalisedByMinibatch(
  advantages: Float32Array,
  order: Int32Array,
  batchSizes: readonly number[],
): Float32Array {
  const normalised = new Float32Array(order.length);
  let start = 0;
  for (const size of batchSizes) {
    const { mean, scale } = minibatchScale(advantages, order, start, size);
    for (let i = start; i < start + size; i++) normalised[i] = (advantages[order[i]] - mean) * scale;
    start += size;
  }
  return normalised;
}

/** Advantages brought to mean 0 and deviation 1 (with n − 1); a single one is left as it is. */
export function normalised(advantages: Float32Array): Float32Array {
  return normalisedByMinibatch(
    advantages,
    Int32Array.from(advantages, (_, index) => index),
    [advantages.length],
  );
}

function minibatchScale(
  advantages: Float32Array,
  order: Int32Array,
  start: number,
  size: number,
): { mean: number; scale: number } {
  if (size < 2) return { mean: 0, scale: 1 };
  let sum = 0;
  for (let i = start; i < start + size; i++) sum += advantages[order[i]];
  const mean = sum / size;
  let squares = 0;
  for (let i = start; i < start + size; i++) squares += (advantages[order[i]] - mean) ** 2;
  return { mean, scale: 1 / (Math.sqrt(squares / (size - 1)) + 1e-8) };
}

/** 1 − Var[returns − values] / Var[returns]; 0 when the returns do not vary. */
export function explainedVariance(values: Float32Array, returns: Float32Array): number {
  const total = variance(returns);
  return total > 0 ? 1 - variance(returns.map((target, i) => target - values[i])) / total : 0;
}

function variance(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}
