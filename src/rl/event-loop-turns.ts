import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long other work of the process may have to wait, in milliseconds. */
const longestWaitMs = 5;

/**
 * Lets messages and timers of the process have their turn now and then: loops of synchronous arithmetic keep them out
 * altogether, and a turn for each of their small steps would cost more than the steps.
 */
export class EventLoopTurns {
  private last = performance.now();

  /** Waits for a turn when the last one is some milliseconds ago; else there is nothing to wait for. */
  give(): Promise<void> | null {
    return performance.now() - this.last < longestWaitMs ? null : this.take();
  }

  private async take(): Promise<void> {
    await nextTurn();
    this.last = performance.now();
  }
}
