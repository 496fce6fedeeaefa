/** For each algorithm hyperparameters with which an iteration is a few dozen steps and learning begins at once. */
export const quickHyperparameters: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  a2c: { hiddenSizes: [8] },
  a3c: { hiddenSizes: [8] },
  ddpg: { hiddenSizes: [8], batchSize: 8, learningStarts: 8, replayCapacity: 500, actionNoise: 'ornstein-uhlenbeck' },
  dqn: {
    hiddenSizes: [8],
    batchSize: 8,
    learningStarts: 8,
    trainFrequency: 2,
    targetUpdateInterval: 20,
    replayCapacity: 500,
    prioritisedReplay: true,
    returnSteps: 2,
  },
  'graph-ppo': {
    width: 8,
    attentionWidth: 4,
    memoryWidth: 4,
    unrollSteps: 4,
    rolloutSteps: 32,
    minibatchSize: 12,
    epochs: 2,
  },
  ppo: { rolloutSteps: 32, minibatchSize: 12, epochs: 2, hiddenSizes: [8] },
  sac: { hiddenSizes: [8], batchSize: 8, learningStarts: 8, replayCapacity: 500 },
  'sac-discrete': { hiddenSizes: [8], batchSize: 8, learningStarts: 8, replayCapacity: 500 },
  td3: { hiddenSizes: [8], batchSize: 8, learningStarts: 8, replayCapacity: 500 },
};
