import type { Transition } from '../../../../src/rl/environment.ts';
import { Pendulum } from '../../../../src/rl/environments/pendulum.ts';

/** A pendulum whose rewards are finite, but after some steps so large that their squares are not. */
export class HugeRewards extends Pendulum {
  private readonly after: number;
  private lived = 0;

  constructor(after: number) {
    super();
    this.after = after;
  }

  override step(action: Float32Array): Transition {
    const transition = super.step(action);
    return ++this.lived > this.after ? { ...transition, reward: 1e30 } : transition;
  }
}
