import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { pauseSignal, resumeSignal } from '../src/contracts/messages.ts';
import { endedByCancellation } from './failures.ts';

/**
 * Pausing and resuming, as a workflow sees it.
 *
 * 1. A pause cancels the work that runs inside {@link PauseSwitch.run}; the work stops at its next checkpoint.
 * 2. After the resume the work is called again with the next generation, so that its writes outrank the old ones.
 * 3. Work that finished although the pause came is kept; a cancellation of the whole workflow is passed on.
 */
export interface PauseSwitch {
  /** Runs `work` to its end, however often it is paused. */
  run<T>(work: (generation: number) => Promise<T>): Promise<T>;
  /** Resolves at once, or when a pause is over. */
  whenRunning(): Promise<void>;
  /** Calls `listener` after each change from now on, and at once when paused; returns what ends that. */
  follow(listener: (paused: boolean) => Promise<void>): () => void;
}

/** Listens to the pause and resume signals. @param onChange called after each change. */
export function createPauseSwitch(onChange: (paused: boolean) => void): PauseSwitch {
  let paused = false;
  let generation = 0;
  const scopes = new Set<CancellationScope>();
  const listeners = new Set<(paused: boolean) => Promise<void>>();
  // A follower that has just ended cannot be told any more, and need not be.
  const tell = (listener: (paused: boolean) => Promise<void>): void => void listener(paused).catch(() => {});

  const set = (value: boolean): void => {
    if (paused === value) return;
    paused = value;
    if (paused) generation++;
    onChange(paused);
    listeners.forEach(tell);
    if (paused) for (const scope of scopes) scope.cancel();
  };
  setHandler(pauseSignal, () => set(true));
  setHandler(resumeSignal, () => set(false));

  const whenRunning = (): Promise<void> => condition(() => !paused);
  const attempt = async <T>(work: (generation: number) => Promise<T>): Promise<T> => {
    const scope = new CancellationScope();
    scopes.add(scope);
    try {
      return await scope.run(() => work(generation));
    } finally {
      scopes.delete(scope);
    }
  };

  return {
    whenRunning,
    follow(listener) {
      listeners.add(listener);
      if (paused) tell(listener);
      return () => void listeners.delete(listener);
    },
    async run(work) {
      const outer = CancellationScope.current();
      for (;;) {
        await whenRunning();
        const begun = generation;
        try {
          return await attempt(work);
        } catch (error) {
          const onlyPaused = endedByCancellation(error) && generation > begun && !outer.consideredCancelled;
          if (!onlyPaused) throw error;
        }
      }
    },
  };
}
