import { onlineBoutique } from '../../src/rl/environments/online-boutique/kind.ts';
import type { Figure } from '../figure.ts';

const measurements = 7;
const stepsEach = 20_000;

/** Steps per second of the environment alone, in one thread, when nothing is scaled and the HPA's proposal is computed. */
export const boutiqueEnvironment: Figure = {
  name: 'boutique_environment_steps_per_second',
  unit: 'steps/s',
  measure() {
    const environment = onlineBoutique.create({ actionBase: 'hpa' });
    const nothing = new Int32Array(11);
    let episode = 0;
    const play = (steps: number): void => {
      environment.reset(episode++);
      for (let step = 0; step < steps; step++) {
        if (environment.step(nothing).truncated) environment.reset(episode++);
      }
    };
    play(stepsEach);
    const speeds = Array.from({ length: measurements }, () => {
      const start = performance.now();
      play(stepsEach);
      return (1000 * stepsEach) / (performance.now() - start);
    });
    return Promise.resolve(speeds);
  },
};
