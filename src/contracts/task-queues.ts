/** Names of the Temporal task queues: what may run where. */
export const taskQueues = {
  /** Workflows, and light activities that touch the stores. */
  orchestration: 'orchestration',
  /** Training on CPU workers. */
  trainCpu: 'train-cpu',
  /** Training on GPU workers; one slot per GPU. */
  trainGpu: 'train-gpu',
  /** Polled by every GPU worker, also while its slots are taken: who looks for a GPU worker asks here. */
  gpuPresence: 'train-gpu-presence',
  /** Mirrors to outside trackers. They live as long as their runs, so they must not take the slots of other work. */
  track: 'track',
  /** Cluster access: recordings of live clusters and control loops. */
  control: 'control',
  /** Calibration and evaluation. */
  evaluate: 'evaluate',
} as const;

/** A task queue that trains. */
export type TrainingQueue = typeof taskQueues.trainCpu | typeof taskQueues.trainGpu;
