import { parseArgs } from 'node:util';
import { createEvaluationActivities } from '../activities/evaluation.ts';
import { createTrainingActivities } from '../activities/training.ts';
import { childEnvironment } from '../config/child-environment.ts';
import { taskQueues } from '../src/contracts/task-queues.ts';
import { createNumericProcesses } from './numeric/child-processes.ts';
import { shutdownTimes } from './shutdown-times.ts';
import { runWorkerProcess } from './worker-process.ts';
import type { WorkerContext, WorkerPlan } from './worker-process.ts';

/** A cancellation travels with a heartbeat's answer, so these are short; a shutdown leaves time for a last checkpoint. */
const timing = {
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  ...shutdownTimes.trainer,
} as const;

/**
 * The trainer: `--device cpu` (default) serves `train-cpu` and `evaluate`, `--device cuda` serves `train-gpu` with one
 * slot a GPU (`--gpus`, default 1). The numeric work runs in child processes.
 */
const { device, gpus } = readFlags();

await runWorkerProcess(async (context) => (device === 'cuda' ? gpuPlans(context) : cpuPlans(context)));

function readFlags(): { device: 'cpu' | 'cuda'; gpus: number } {
  const options = { device: { type: 'string', default: 'cpu' }, gpus: { type: 'string', default: '1' } } as const;
  const { values } = parseArgs({ options });
  const count = Number(values.gpus);
  const known = values.device === 'cpu' || values.device === 'cuda';
  if (known && Number.isInteger(count) && count >= 1) return { device: values.device as 'cpu' | 'cuda', gpus: count };
  process.stderr.write(
    `Usage: trainer [--device cpu|cuda] [--gpus N]; found --device ${values.device} --gpus ${values.gpus}\n`,
  );
  process.exit(2);
}

function cpuPlans(context: WorkerContext): WorkerPlan[] {
  const { artifacts, config } = context;
  const numeric = createNumericProcesses({ environment: childEnvironment() });
  const evaluation = createEvaluationActivities({ artifacts, numeric });
  return [
    { ...training(context), taskQueue: taskQueues.trainCpu, maxConcurrentActivityTaskExecutions: config.trainer.slots },
    { ...timing, taskQueue: taskQueues.evaluate, activities: evaluation, maxConcurrentActivityTaskExecutions: 1 },
  ];
}

function gpuPlans(context: WorkerContext): WorkerPlan[] {
  return [
    { ...training(context), taskQueue: taskQueues.trainGpu, maxConcurrentActivityTaskExecutions: gpus },
    // A worker whose slots are taken does not poll; this queue is always polled, because nobody gives it work.
    { ...timing, taskQueue: taskQueues.gpuPresence, activities: { nothing: async () => {} } },
  ];
}

function training({ config: { algorithmModules }, store, artifacts, client }: WorkerContext) {
  const numeric = createNumericProcesses({ environment: childEnvironment(), gpus, algorithmModules });
  return { ...timing, activities: createTrainingActivities({ store, artifacts, numeric, client }) };
}
