import type { RunRecord } from '../contracts/stores.ts';
import type { EndWatch } from './end-watch.ts';
import type { MirrorPorts } from './mirror-ports.ts';
import { withoutOutage } from './outages.ts';
import { SendPauses } from './send-pauses.ts';
import type { TrackedRun } from './tracked-run.ts';
import type { TrackedRuns } from './tracked-runs.ts';
import { TrackerFailure } from './tracker.ts';
import type { Warnings } from './warnings.ts';

/** Tracked runs that are advanced at the same time. */
const parallelRuns = 4;

/** A tracked run that the tracker refuses this often is left for the offline file. */
const maxRefusals = 3;

/** Advances the tracked runs, with pauses while the tracker fails. */
export class Sender {
  private readonly ports: MirrorPorts;
  private readonly runs: TrackedRuns;
  private readonly warnings: Warnings;
  private readonly pauses: SendPauses;
  private readonly refusals = new Map<TrackedRun, number>();

  constructor(ports: MirrorPorts, runs: TrackedRuns, warnings: Warnings) {
    this.ports = ports;
    this.runs = runs;
    this.warnings = warnings;
    this.pauses = new SendPauses(ports.limits, ports.clock);
  }

  /** True while the tracker does not take what it is sent. */
  get isFailing(): boolean {
    return this.pauses.isFailing;
  }

  /** Sends until everything of an ended run is acknowledged, or the deadline. @throws the store's lasting errors. */
  async sendUntilOver(watch: EndWatch, onHeartbeat: () => void): Promise<void> {
    const { clock, limits } = this.ports;
    const { deadline, over } = watch;
    let overAtMs = Infinity;
    while (!deadline.aborted) {
      onHeartbeat();
      const { isOver, run } = watch; // before the points are read: then none comes after the last look
      if (isOver) this.pauses.cutShort();
      if (isOver) overAtMs = Math.min(overAtMs, clock.now());
      await withoutOutage(() => this.sendOnce(run, isOver, deadline), undefined);
      if (isOver && this.isDone()) return;
      if (this.isFailing && clock.now() - overAtMs >= limits.endFailingMs) return;
      if (isOver) await clock.sleep(limits.watchMs, deadline);
      else await clock.sleep(limits.pollMs, AbortSignal.any([deadline, over]));
    }
  }

  private async sendOnce(run: RunRecord, isOver: boolean, deadline: AbortSignal): Promise<void> {
    if (!this.pauses.mayTry()) return;
    await this.runs.discover();
    const waiting = this.runs.list.filter((tracked) => this.isWanted(tracked));
    for (let at = 0; at < waiting.length && this.pauses.mayTry(); at += parallelRuns) {
      const batch = waiting.slice(at, at + parallelRuns);
      await all(batch.map((tracked) => this.advance(tracked, run, isOver, deadline)));
    }
  }

  private async advance(tracked: TrackedRun, run: RunRecord, isOver: boolean, deadline: AbortSignal): Promise<void> {
    try {
      await tracked.advance(run, isOver, deadline);
      this.pauses.succeeded();
    } catch (error) {
      if (deadline.aborted)
        return this.warnings.add('The time for sending to W&B was up before it had taken everything.');
      if (!(error instanceof TrackerFailure)) throw error;
      this.noteFailure(tracked, error);
    }
  }

  private noteFailure(tracked: TrackedRun, failure: TrackerFailure): void {
    this.warnings.add(failure.message);
    this.pauses.failed(failure);
    if (failure.kind !== 'refused') return;
    this.refusals.set(tracked, this.refusalsOf(tracked) + 1);
    tracked.forgetStart(); // somebody may have deleted the run there
  }

  private refusalsOf(tracked: TrackedRun): number {
    return this.refusals.get(tracked) ?? 0;
  }

  private isWanted(tracked: TrackedRun): boolean {
    return tracked.ledger.state === 'open' && this.refusalsOf(tracked) < maxRefusals;
  }

  private isDone(): boolean {
    const { list } = this.runs;
    return this.pauses.isHopeless || (list.length > 0 && !list.some((tracked) => this.isWanted(tracked)));
  }
}

/** Waits for all, then throws the first failure: none may go on in the background. */
async function all(works: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
