import { CancellationScope } from '@temporalio/workflow';
import type { TrainedSeed } from '../src/contracts/runs.ts';
import type { TrainingInput, TrainingOutput } from '../src/contracts/pipeline.ts';
import { trainingOn } from './activity-stubs.ts';
import { endedByCancellation } from './failures.ts';
import { createPauseSwitch } from './pause-switch.ts';

/**
 * Trains every seed of a run, each in one activity; the queue's slots decide how many at once. Ends with the results in
 * the order of the spec. When one seed fails for good, the others are stopped. Pausing stops at the next checkpoint.
 */
export async function trainingWorkflow(input: TrainingInput): Promise<TrainingOutput> {
  const pause = createPauseSwitch(() => {});
  const { spec } = input;
  return CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const trainings = spec.train.seeds.map((seed) => pause.run((generation) => trainSeed(input, seed, generation)));
    for (const training of trainings) training.catch(() => scope.cancel());
    return resultsOf(await Promise.allSettled(trainings));
  });
}

function trainSeed(input: TrainingInput, seed: number, generation: number): Promise<TrainedSeed> {
  const { runId, spec, recording, twin, placement } = input;
  return trainingOn(placement.taskQueue, seed, generation).trainSeed({
    runId,
    spec,
    recording,
    twin,
    placement,
    seed,
    generation,
  });
}

/** All results, or the failure that stopped the others (theirs are cancellations). */
function resultsOf(ends: readonly PromiseSettledResult<TrainedSeed>[]): TrainingOutput {
  const failures = ends.filter((end) => end.status === 'rejected').map((end): unknown => end.reason);
  if (failures.length > 0) throw failures.find((failure) => !endedByCancellation(failure)) ?? failures[0];
  return ends.filter((end) => end.status === 'fulfilled').map((end) => end.value);
}
