/** Names of the Temporal task queues: what may run where. */
export const taskQueues = {
  /** Workflows, and light activities that touch the stores. */
  orchestration: 'orchestration',
  /** Training on CPU workers. */
  trainCpu: 'train-cpu',
  /** Training on GPU workers; one slot per GPU. */
  trainGpu: 'train-gpu',
  /** Calibration and evaluation. */
  evaluate: 'evaluate',
} as const;

/** A task queue that trains. */
export type TrainingQueue = typeof taskQueues.trainCpu | typeof taskQueues.trainGpu;
