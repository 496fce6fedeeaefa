import { fork } from 'node:child_process';
import { join } from 'node:path';
import { nodeOptionsOf } from '../../config/node-options.ts';
import type { Figure } from '../figure.ts';

/** What a control loop left behind. */
export interface PlayedLoop {
  /** Of each run of the workflow. */
  readonly historyEvents: readonly number[];
  /** Mean resident memory of the process from 25 to 30 % of the steps, and over the last 5 %, megabytes. */
  readonly earlyMb: number;
  readonly lateMb: number;
  readonly stepMs: number;
}

/**
 * Figures of a control loop of so many steps that follow each other at once: the real workflow on the real server, the
 * real activities with observation, decision, guard and record of Online Boutique. Cluster, metrics, policy and store are
 * fakes in the same process, under a daily load and a policy that acts at random; the store forgets all but the last step.
 * So the process's memory is that of both workers and of the fakes, with the options that workers are started with.
 */
function controlLoop(name: string, steps: number): readonly Figure[] {
  let played: Promise<PlayedLoop> | null = null;
  const play = (): Promise<PlayedLoop> => (played ??= playLoop(steps));
  return [
    {
      name: `${name}_history_events`,
      unit: 'events',
      measure: async () => [Math.max(...(await play()).historyEvents)],
    },
    {
      name: `${name}_memory_growth_mb`,
      unit: 'MB',
      measure: async () => {
        const { earlyMb, lateMb } = await play();
        return [lateMb - earlyMb];
      },
    },
    { name: `${name}_step_ms`, unit: 'ms', measure: async () => [(await play()).stepMs] },
  ];
}

/** A week of steps of 15 s. */
export const controlWeek = controlLoop('control_week', 40_320);
/** Ten hours. */
export const controlHours = controlLoop('control_hours', 2_400);

function playLoop(steps: number): Promise<PlayedLoop> {
  const child = fork(join(import.meta.dirname, 'control-week-child.ts'), [String(steps)], {
    execArgv: nodeOptionsOf('control'),
  });
  return new Promise((resolve, reject) => {
    child.once('message', resolve as (message: unknown) => void);
    child.once('exit', (code) => reject(new Error(`The loop's process ended with ${code}.`)));
  });
}
