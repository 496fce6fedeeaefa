import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ControlMode, ControlStatus } from './control.ts';
import type { RunProgress, SeedProgress } from './runs.ts';

/** How far a run is; answered by pipelineWorkflow. */
export const progressQuery = defineQuery<RunProgress>('progress');

/** Stops the work at the next checkpoint until resumed. Without effect on a paused run. */
export const pauseSignal = defineSignal('pause');

/** Goes on after a pause. Without effect on a running run. */
export const resumeSignal = defineSignal('resume');

/** Training activities tell the run's workflow how far a seed is; at most 20 times a seed, so histories stay small. */
export const seedProgressSignal = defineSignal<[SeedProgress]>('seedProgress');

/** The recording of a live cluster tells the run's workflow how far it is, a line for people; at most 20 times. */
export const collectProgressSignal = defineSignal<[string]>('collectProgress');

/** How a control loop stands; answered by controlWorkflow. */
export const controlStatusQuery = defineQuery<ControlStatus>('controlStatus');

/** Control loops answer these with their status after the change. Refused (by the validator) once a loop is stopping. */
export const pauseControlUpdate = defineUpdate<ControlStatus>('pause');
/** Goes on after a pause, and gives the policy back its place after a fallback. */
export const resumeControlUpdate = defineUpdate<ControlStatus>('resume');
/** Ends the loop; paused owners are resumed. */
export const stopControlUpdate = defineUpdate<ControlStatus>('stop');
export const setControlModeUpdate = defineUpdate<ControlStatus, [ControlMode]>('setMode');
/** The calibrated HPA takes over, for the reason that somebody gives. */
export const fallBackUpdate = defineUpdate<ControlStatus, [string]>('fallBack');
