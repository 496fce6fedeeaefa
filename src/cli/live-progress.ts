import type { RunProgress } from '../contracts/runs.ts';
import type { TextOutput } from './command-context.ts';
import { renderProgress, renderProgressLine } from './progress-view.ts';

/** Shows how a run goes on. */
export interface LiveProgress {
  show(progress: RunProgress): void;
  /** A sentence about what holds the run up. */
  notice(message: string): void;
  /** Leaves the last picture on the screen. */
  end(): void;
}

const redrawMs = 1_000;

/**
 * On a terminal one picture that is drawn again in place, every second too, since the time goes on; elsewhere a line
 * whenever a step begins or ends and at every tenth of the training.
 * @param startedAtMs when the run began
 */
export function createLiveProgress(output: TextOutput, startedAtMs: number): LiveProgress {
  return output.isTTY ? createPicture(output, startedAtMs) : createLines(output, startedAtMs);
}

function createPicture(output: TextOutput, startedAtMs: number): LiveProgress {
  let latest: RunProgress | null = null;
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) output.write(`\u001B[${drawn}A\u001B[0J`);
    drawn = 0;
  };
  const draw = (): void => {
    if (latest === null) return;
    const { columns: width = 80 } = output;
    const color = output.hasColors?.() ?? false;
    const text = renderProgress(latest, { width, color, elapsedSeconds: secondsSince(startedAtMs) });
    erase();
    output.write(`${text}\n`);
    drawn = text.split('\n').length;
  };
  const timer = setInterval(draw, redrawMs);
  return {
    show(progress) {
      latest = progress;
      draw();
    },
    notice(message) {
      erase();
      output.write(`${message}\n`);
      draw();
    },
    end: () => clearInterval(timer),
  };
}

function createLines(output: TextOutput, startedAtMs: number): LiveProgress {
  let shown = '';
  return {
    show(progress) {
      const training = progress.step === 'train' ? Math.floor(progress.fraction * 10) : 0;
      const state = [progress.status, training, ...progress.steps.map((step) => step.status)].join();
      if (state === shown) return;
      shown = state;
      output.write(`${renderProgressLine(progress, { elapsedSeconds: secondsSince(startedAtMs) })}\n`);
    },
    notice: (message) => output.write(`${message}\n`),
    end: () => undefined,
  };
}

function secondsSince(ms: number): number {
  return (Date.now() - ms) / 1000;
}
