/** For each algorithm hyperparameters with which an iteration is a few dozen steps and learning begins at once. */
export const quickHyperparameters: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  a2c: { hiddenSizes: [8] },
  ppo: { rolloutSteps: 32, minibatchSize: 12, epochs: 2, hiddenSizes: [8] },
};
