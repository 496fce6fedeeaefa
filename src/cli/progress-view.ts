import type { RunProgress, RunStatus, SeedProgress, StepRecord, StepStatus } from '../contracts/runs.ts';
import { formatCount, formatDuration, formatFixed } from './quantities.ts';
import { bar, createPaint, fit, plainText } from './terminal-text.ts';
import type { Paint, Tone } from './terminal-text.ts';

/** How the progress is drawn. */
export interface ProgressViewOptions {
  /** Columns of the terminal. Default 80, also for fewer than 20. */
  readonly width?: number;
  /** Time since the run began, seconds; without it no time is shown. */
  readonly elapsedSeconds?: number;
  /** ANSI colours. Default false. */
  readonly color?: boolean;
}

const marks: Readonly<Record<StepStatus, { mark: string; tone: Tone }>> = {
  pending: { mark: '·', tone: 'faint' },
  running: { mark: '▶', tone: 'active' },
  completed: { mark: '✓', tone: 'good' },
  failed: { mark: '✗', tone: 'bad' },
  cancelled: { mark: '■', tone: 'warning' },
};

const statusTones: Readonly<Record<RunStatus, Tone>> = {
  running: 'active',
  paused: 'warning',
  completed: 'good',
  failed: 'bad',
  cancelled: 'warning',
};

/** The live picture of a run: a bar, the list of steps, one line a seed in training, and the latest figures. Lines without a final newline. */
export function renderProgress(progress: RunProgress, options: ProgressViewOptions = {}): string {
  const width = usableWidth(options.width);
  const paint = createPaint(options.color ?? false);
  const lines = [headline(progress, width, options.elapsedSeconds, paint)];
  for (const step of progress.steps) {
    lines.push(stepLine(step, width, paint));
    if (step.name === 'train' && step.status === 'running') lines.push(...seedLines(progress.training, width, paint));
  }
  const figures = figuresText(progress, options.elapsedSeconds);
  return figures === '' ? lines.join('\n') : [...lines, '', fit(`  ${figures}`, width)].join('\n');
}

/** Some terminals say that they have no columns at all. */
function usableWidth(width = 80): number {
  return width < 20 ? 80 : width;
}

/** The run on one line without colours, for logs: status, step, share done and the latest figures. */
export function renderProgressLine(progress: RunProgress, options: { readonly elapsedSeconds?: number } = {}): string {
  const step = progress.steps.find((candidate) => candidate.name === progress.step);
  const summary = plainText(step?.summary ?? '');
  const parts = [
    `${progress.status} ${percent(progress.fraction)} %`,
    `step ${progress.step}${step === undefined ? '' : ` ${step.status}`}${summary === '' ? '' : `: ${summary}`}`,
    figuresText(progress, options.elapsedSeconds),
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

/**
 * Seconds until the end, from the time so far and the share done; null while too little is done to tell, when the run
 * stands still and at its end.
 */
export function secondsLeft(progress: RunProgress, elapsedSeconds: number | undefined): number | null {
  if (elapsedSeconds === undefined || progress.status !== 'running') return null;
  if (progress.fraction < 0.03 || progress.fraction >= 1) return null;
  return (elapsedSeconds * (1 - progress.fraction)) / progress.fraction;
}

function headline(progress: RunProgress, width: number, elapsedSeconds: number | undefined, paint: Paint): string {
  const time = elapsedSeconds === undefined ? '' : `  ${formatDuration(elapsedSeconds)}`;
  const share = `${percent(progress.fraction)} %`.padStart(5);
  const barWidth = Math.max(Math.min(width - 2 - progress.status.length - 2 - share.length - 1 - time.length, 40), 5);
  const tone = statusTones[progress.status];
  return `  ${paint(tone, progress.status)}  ${paint(tone, bar(progress.fraction, barWidth))} ${share}${paint('faint', time)}`;
}

function stepLine(step: StepRecord, width: number, paint: Paint): string {
  const { mark, tone } = marks[step.status];
  const summary = fit(plainText(step.summary), width - 15);
  const name = step.name.padEnd(10);
  return `  ${paint(tone, mark)} ${step.status === 'pending' ? paint('faint', name) : name} ${summary}`.trimEnd();
}

function seedLines(training: readonly SeedProgress[], width: number, paint: Paint): string[] {
  return training.map((seed) => {
    const share = seed.totalSteps === 0 ? 0 : seed.step / seed.totalSteps;
    const reward = seed.metrics.episodeReturn;
    const figures = reward === undefined ? '' : `  reward ${formatReward(reward)}`;
    const label = `seed ${seed.seed}`.padEnd(8);
    const text = `${label} ${bar(share, 20)} ${`${percent(share)} %`.padStart(5)}${figures}`;
    return `      ${paint('faint', fit(text, width - 6))}`;
  });
}

function figuresText(progress: RunProgress, elapsedSeconds: number | undefined): string {
  const episodes = sumOver(progress.training, 'episodes');
  const speed = sumOver(
    progress.training.filter((seed) => seed.step < seed.totalSteps),
    'stepsPerSecond',
  );
  const reward = progress.metrics.episodeReturn;
  const left = secondsLeft(progress, elapsedSeconds);
  const training = progress.step === 'train';
  return [
    episodes === null ? '' : `episodes ${formatCount(episodes)}`,
    speed === null || !training ? '' : `${formatCount(speed)} steps/s`,
    reward === undefined ? '' : `reward ${formatReward(reward)}`,
    left === null ? '' : `about ${formatDuration(left)} left`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

function sumOver(training: readonly SeedProgress[], metric: string): number | null {
  const values = training.map((seed) => seed.metrics[metric]).filter((value) => value !== undefined);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

function formatReward(reward: number): string {
  return formatFixed(reward, Math.abs(reward) < 100 ? 2 : 1);
}

function percent(fraction: number): number {
  // 100 % only at the very end: a bar that is full while work goes on looks like a hang.
  return fraction >= 1 ? 100 : Math.min(Math.floor(Math.max(fraction, 0) * 100), 99);
}
