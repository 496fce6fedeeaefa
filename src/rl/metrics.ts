/** What a figure of a training means. */
export interface MetricMeaning {
  /** One or two sentences. */
  readonly meaning: string;
  readonly unit: string;
  /** What it looks like when a training goes well, and what another value hints at. */
  readonly healthy: string;
}

/** Every figure that a training of ours reports, by name. docs/metrics.md is made of it. */
export const metricTable: Readonly<Record<string, MetricMeaning>> = {
  episodeReturn: {
    meaning: 'Mean undiscounted return of the last 100 finished episodes, with exploration.',
    unit: 'reward',
    healthy: 'Rises and levels off. Flat from the start: the reward says too little, or exploration is too weak.',
  },
  episodeLength: {
    meaning: 'Mean length of the same episodes.',
    unit: 'steps',
    healthy: "Depends on the task; the environment's limit when episodes are only cut off.",
  },
  episodes: { meaning: 'Episodes finished since the training began.', unit: '', healthy: 'Rises.' },
  rewardMean: {
    meaning: 'Mean reward per step of this iteration, before any scaling.',
    unit: 'reward',
    healthy: 'Follows the return, with less delay and more noise.',
  },
  stepsPerSecond: {
    meaning: 'Environment steps per second of wall time, acting and learning together.',
    unit: 'steps/s',
    healthy: 'Constant. A slow fall means that something grows: report it.',
  },
  policyLoss: {
    meaning: 'The loss that the policy is improved by; its sign and size mean little by themselves.',
    unit: '',
    healthy: 'Near 0 for PPO (advantages are normalised), small and noisy. Large swings: lower the learning rate.',
  },
  valueLoss: {
    meaning: 'Mean squared error of the predicted values against their targets.',
    unit: 'reward²',
    healthy: 'Falls, rises again while the policy improves, settles. Rising without end: scale the rewards.',
  },
  entropy: {
    meaning: 'Mean entropy of the policy per step, summed over heads or elements; how much it still tries.',
    unit: 'nats',
    healthy:
      'Falls slowly from ln(choices) a head. Near 0 early: the policy settled too soon, raise the entropy coefficient.',
  },
  approxKl: {
    meaning: "Schulman's estimate E[(r − 1) − ln r] of how far an update phase moved the policy.",
    unit: 'nats',
    healthy: '0.003 to 0.03. Above 0.05: lower the learning rate or the epochs, or set targetKl.',
  },
  clipFraction: {
    meaning: 'Share of samples whose probability ratio left the clip range.',
    unit: '0 … 1',
    healthy: '0.05 to 0.3. 0: the updates are too timid. Above 0.5: too bold.',
  },
  explainedVariance: {
    meaning: '1 − Var[returns − values] / Var[returns] of the rollout; 0 when all returns are equal.',
    unit: '≤ 1',
    healthy: 'Rises towards 1. Below 0: the values are worse than a constant.',
  },
  gradientNorm: {
    meaning: 'Euclidean norm of the gradient before it is shortened.',
    unit: '',
    healthy: 'The order of the limit or below. Always far above it: lower the learning rate or scale the rewards.',
  },
  criticLoss: {
    meaning: 'Mean squared error of the critics against their targets; of twin critics the sum (SAC: half of it).',
    unit: 'reward²',
    healthy:
      'Small against the squared values, and noisy. Growing with them without end: values diverge; lower the learning rate.',
  },
  meanValue: {
    meaning: 'Mean value that the critics give the actions of a minibatch.',
    unit: 'reward',
    healthy: 'Approaches the discounted return. Far above any return that is possible: values are overestimated.',
  },
  entropyCoefficient: {
    meaning: 'α: what SAC pays for a nat of entropy.',
    unit: 'reward / nat',
    healthy: 'Falls from its start and settles. Rising without end: the target entropy is out of reach.',
  },
  criticGradientNorm: {
    meaning: "Euclidean norm of the critic's gradient; of twin critics the larger one.",
    unit: '',
    healthy: 'Follows the critic loss.',
  },
  policyGradientNorm: {
    meaning: "Euclidean norm of the policy's gradient.",
    unit: '',
    healthy: 'Around 1 or below. 0: the policy sits in the corners of the action space, where tanh is flat.',
  },
  learningRate: {
    meaning: "The optimiser's step size in this iteration.",
    unit: '',
    healthy: 'What the schedule says.',
  },
  minibatches: {
    meaning: 'Minibatch updates made; fewer than planned when targetKl stopped the phase early.',
    unit: '',
    healthy: 'epochs × rolloutSteps / minibatchSize, or a little less with targetKl.',
  },
  loss: {
    meaning: "Mean Huber loss of the Q-values' temporal differences, weighted where replay is prioritised.",
    unit: 'reward',
    healthy:
      'Small beside the returns, noisy, with a jump at each update of the target network. Rising without end: lower the learning rate.',
  },
  meanQ: {
    meaning: 'Mean Q-value of the greedy actions that were taken: the discounted return that the agent expects.',
    unit: 'reward',
    healthy: 'Rises to about the discounted return that is reached. Far above it: overestimation, try doubleQ.',
  },
  explorationRate: {
    meaning: 'ε: the probability of a random action.',
    unit: '0 … 1',
    healthy: 'What the schedule says.',
  },
  importanceExponent: {
    meaning: 'β of prioritised replay: how much of the bias of its draws is corrected.',
    unit: '0 … 1',
    healthy: 'Rises to 1 at the end of the training.',
  },
  temporalDifference: {
    meaning: 'Mean size of the changes that tabular learning wants to make, before the step size.',
    unit: 'reward',
    healthy: 'Falls. It does not reach 0 while the agent explores or the environment is random.',
  },
};

const introduction = `# Metrics

Figures that a training reports after each iteration, in the store, in the progress and in trackers. Figures of learning are means over the iteration's updates; an algorithm reports those that it has. An environment's own measures come beside them, named \`environment.…\`, as means over the iteration's steps.

| Figure | Meaning | Unit | Healthy |
| --- | --- | --- | --- |
`;

/** docs/metrics.md, made of the table. */
export function metricsPage(): string {
  const rows = Object.entries(metricTable).map(
    ([name, { meaning, unit, healthy }]) => `| \`${name}\` | ${meaning} | ${unit} | ${healthy} |\n`,
  );
  return introduction + rows.join('');
}
