import type { RunProgress } from '../src/contracts/runs.ts';
import { renderProgress, renderProgressLine } from '../src/cli/progress-view.ts';

/** Shows how a run goes on. */
export interface LiveProgress {
  show(progress: RunProgress): void;
  /** A sentence about what holds the run up. */
  notice(message: string): void;
  /** Leaves the last picture on the screen. */
  end(): void;
}

/** Where progress is shown. */
export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const redrawMs = 1_000;

/**
 * On a terminal one picture that is drawn again in place, also while nothing new comes, since the time goes on; elsewhere
 * one line whenever a step begins or ends. `startedAt` is the time that the run began, in milliseconds.
 */
export function createLiveProgress(output: ProgressOutput, startedAt: number): LiveProgress {
  return output.isTTY ? createPicture(output, startedAt) : createLines(output, startedAt);
}

function createPicture(output: ProgressOutput, startedAt: number): LiveProgress {
  let latest: RunProgress | undefined;
  let drawnLines = 0;
  const erase = () => {
    if (drawnLines > 0) output.write(`\u001b[${drawnLines}A\u001b[0J`);
    drawnLines = 0;
  };
  const draw = () => {
    if (latest === undefined) return;
    const text = renderProgress(latest, {
      width: output.columns ?? 80,
      elapsedSeconds: elapsedSeconds(startedAt),
      color: process.env.NO_COLOR === undefined,
    });
    erase();
    output.write(`${text}\n`);
    drawnLines = text.split('\n').length;
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

function createLines(output: ProgressOutput, startedAt: number): LiveProgress {
  let shown = '';
  return {
    show(progress) {
      const steps = progress.steps.map((step) => step.status).join();
      const state = `${progress.status} ${steps}`;
      if (state === shown) return;
      shown = state;
      output.write(`${renderProgressLine(progress, { elapsedSeconds: elapsedSeconds(startedAt) })}\n`);
    },
    notice: (message) => output.write(`${message}\n`),
    end: () => undefined,
  };
}

function elapsedSeconds(startedAt: number): number {
  return (Date.now() - startedAt) / 1000;
}
