import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { RunProgress, SeedProgress } from './runs.ts';

/** How far a run is; answered by pipelineWorkflow. */
export const progressQuery = defineQuery<RunProgress>('progress');

/** Stops the work at the next checkpoint until resumed. Without effect on a paused run. */
export const pauseSignal = defineSignal('pause');

/** Goes on after a pause. Without effect on a running run. */
export const resumeSignal = defineSignal('resume');

/** Training activities tell the run's workflow how far a seed is; at most 20 times a seed, so histories stay small. */
export const seedProgressSignal = defineSignal<[SeedProgress]>('seedProgress');
