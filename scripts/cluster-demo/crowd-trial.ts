import { setTimeout as sleep } from 'node:timers/promises';
import type { PlayedNamespace, TwinState } from '../closed-loop/played-namespace.ts';

/** A flash crowd, and how long is waited around it. */
export interface Crowd {
  readonly peak: number;
  readonly minutes: number;
  /** Before it, so that replicas and metrics are those of the steady load. */
  readonly settleMinutes: number;
}

/** Who steers which application. */
export interface Contestant {
  readonly controller: string;
  readonly played: PlayedNamespace;
}

/** What a controller made of a crowd, by the twin's own account: from its beginning to a minute after its end. */
export interface CrowdMeasures {
  readonly controller: string;
  readonly requests: number;
  /** Share of the requests that were slower than the SLO or failed, 0 … 1. */
  readonly violationShare: number;
  /** Worst of the control steps. */
  readonly worstP95Seconds: number;
  readonly podSeconds: number;
  readonly mostPods: number;
}

const afterMs = 60_000;

/**
 * Lets the same crowd come to all of them at the same time.
 * @throws what `signal` was aborted with.
 */
export async function playCrowd(
  contestants: readonly Contestant[],
  { peak, minutes, settleMinutes }: Crowd,
  signal: AbortSignal,
): Promise<CrowdMeasures[]> {
  const states = (): Promise<TwinState[]> => Promise.all(contestants.map(({ played }) => played.state()));
  await sleep(settleMinutes * 60_000, undefined, { signal });
  const before = await states();
  await Promise.all(contestants.map(({ played }) => played.flashCrowd({ peak, minutes })));
  await sleep(minutes * 60_000 + afterMs, undefined, { signal });
  const after = await states();
  return contestants.map(({ controller }, i) => measuresOf(controller, before[i], after[i]));
}

function measuresOf(controller: string, before: TwinState, after: TwinState): CrowdMeasures {
  const steps = after.steps.filter(({ endSeconds }) => endSeconds > before.seconds);
  const requests = after.totals.requests - before.totals.requests;
  return {
    controller,
    requests,
    violationShare: (after.totals.violations - before.totals.violations) / Math.max(1, requests),
    worstP95Seconds: Math.max(0, ...steps.map(({ p95Seconds }) => p95Seconds ?? 0)),
    podSeconds: after.totals.podSeconds - before.totals.podSeconds,
    mostPods: Math.max(0, ...steps.map(({ pods }) => pods)),
  };
}

/** A column a controller. */
export function crowdTable(trials: readonly CrowdMeasures[]): string {
  const rows: [string, (trial: CrowdMeasures) => string][] = [
    ['', ({ controller }) => controller],
    ['requests', ({ requests }) => Math.round(requests).toLocaleString('en')],
    ['SLO violations, %', ({ violationShare }) => (100 * violationShare).toFixed(3)],
    ['worst p95 of a step, ms', ({ worstP95Seconds }) => (1000 * worstP95Seconds).toFixed(0)],
    ['pod-seconds', ({ podSeconds }) => Math.round(podSeconds).toLocaleString('en')],
    ['most pods', ({ mostPods }) => mostPods.toFixed(0)],
  ];
  return rows
    .map(([label, cell]) =>
      `  ${label.padEnd(26)}${trials.map((trial) => cell(trial).padStart(16)).join('')}`.trimEnd(),
    )
    .join('\n');
}
