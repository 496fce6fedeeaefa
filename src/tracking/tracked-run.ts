import type { RunRecord } from '../contracts/stores.ts';
import { lineText } from './history-lines.ts';
import type { HistoryLine } from './history-lines.ts';
import { acknowledged, emptyLedger, openLedger } from './ledger.ts';
import type { Ledger, LedgerBook } from './ledger.ts';
import type { MirrorPorts } from './mirror-ports.ts';
import { readModelUpload } from './model-upload.ts';
import { describeRun, exitCodeOf, summarise } from './run-descriptions.ts';
import { trackedRunId } from './tracked-run-names.ts';
import type { TrackedRunName } from './tracked-run-names.ts';
import type { RunNews, StartedRun, Summary } from './tracker.ts';
import { readUnsentLines } from './unsent-lines.ts';

/**
 * The mirror of one tracked run.
 *
 * Contract, for exactly one copy of each line in the tracker:
 * 1. The bytes of the line at an offset never change (see history-lines.ts).
 * 2. The ledger moves only after the tracker has acknowledged; a kill in between sends the same bytes to the same offset.
 * 3. What goes into an offline file is fixed in the ledger before the file is written, and is never sent after that.
 */
export class TrackedRun {
  readonly name: TrackedRunName;
  readonly book: LedgerBook;
  private readonly ports: MirrorPorts;
  private readonly warn: (warning: string) => void;
  private started: StartedRun | null = null;
  private lastHeardMs = 0;
  private shownSummary = '';

  private constructor(ports: MirrorPorts, name: TrackedRunName, book: LedgerBook, warn: (warning: string) => void) {
    this.ports = ports;
    this.name = name;
    this.book = book;
    this.warn = warn;
  }

  /** Goes on from the stored ledger. @param warn gets sentences for people. */
  static async open(
    ports: MirrorPorts,
    runId: string,
    name: TrackedRunName,
    warn: (warning: string) => void,
  ): Promise<TrackedRun> {
    const book = await openLedger(ports.store.trackingLedgers, trackedRunId(runId, name.member));
    return new TrackedRun(ports, name, book, warn);
  }

  get ledger(): Ledger {
    return this.book.ledger;
  }

  /**
   * Sends what there is to send; when `isOver`, also the end.
   * @throws TrackerFailure; the store's errors; the signal's reason.
   */
  async advance(run: RunRecord, isOver: boolean, signal: AbortSignal): Promise<void> {
    if (this.ledger.state !== 'open') return;
    const started = await this.start(run, signal);
    await this.sendLines(started, run, isOver, signal);
    if (isOver) await this.finish(started, run, signal);
    else await this.showLife(started, run, signal);
  }

  /** Lets the next {@link TrackedRun.advance} introduce the run to the tracker again. */
  forgetStart(): void {
    this.started = null;
  }

  private async start(run: RunRecord, signal: AbortSignal): Promise<StartedRun> {
    if (this.started !== null) return this.started;
    const started = await this.ports.tracker.startRun(describeRun(run, this.name, this.ports.target), signal);
    const { url, entity } = started;
    // Another place, or a run that somebody deleted there: all lines once more. Harmless should the tracker's count lag.
    const isElsewhere = this.ledger.url !== url || (started.lines === 0 && this.ledger.lines > 0);
    if (isElsewhere) await this.book.write({ ...emptyLedger, url, entity });
    this.lastHeardMs = this.ports.clock.now();
    this.started = started;
    return started;
  }

  private async sendLines(started: StartedRun, run: RunRecord, isOver: boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const lines = await this.readLines(run, isOver);
      if (lines.length === 0) return;
      const next = acknowledged(this.ledger, lines);
      const summary = summaryOf(next, run, this.name);
      const batch = { offset: this.ledger.lines, lines: lines.map(lineText), summary };
      this.heard(await this.ports.tracker.appendHistory(started, batch, signal), summary);
      await this.book.write(next);
    }
  }

  private readLines({ runId, createdAt }: RunRecord, isOver: boolean): Promise<readonly HistoryLine[]> {
    const { lastStep: afterStep } = this.ledger;
    const { batchPoints: limit } = this.ports.limits;
    const { series } = this.name;
    return readUnsentLines(this.ports.store.metrics, { runId, series, afterStep, isOver, limit, startedAt: createdAt });
  }

  private async showLife(started: StartedRun, run: RunRecord, signal: AbortSignal): Promise<void> {
    const { tracker, clock, limits } = this.ports;
    const summary = summaryOf(this.ledger, run, this.name);
    if (JSON.stringify(summary) !== this.shownSummary)
      this.heard(await tracker.updateSummary(started, summary, signal), summary);
    else if (clock.now() - this.lastHeardMs >= limits.heartbeatMs)
      this.heard(await tracker.sendHeartbeat(started, signal), summary);
  }

  private async finish(started: StartedRun, run: RunRecord, signal: AbortSignal): Promise<void> {
    const { tracker } = this.ports;
    const model = this.ledger.modelSaved ? null : await readModelUpload(this.ports, run, this.name, this.warn);
    if (model !== null) {
      await tracker.uploadModel(started, model, signal);
      await this.book.write({ modelSaved: true });
    }
    const summary = summaryOf(this.ledger, run, this.name);
    await tracker.finishRun(started, { exitCode: exitCodeOf(run), summary }, signal);
    await this.book.write({ state: 'finished' });
  }

  private heard({ stopRequested }: RunNews, summary: Summary): void {
    this.lastHeardMs = this.ports.clock.now();
    this.shownSummary = JSON.stringify(summary);
    if (stopRequested)
      this.warn('Somebody pressed Stop in W&B. Coxswain does not obey it: cancel the run with `coxswain cancel`.');
  }
}

/** The summary of a tracked run whose history is as `ledger` says. */
export function summaryOf({ latest }: Pick<Ledger, 'latest'>, run: RunRecord, name: TrackedRunName): Summary {
  const summary: Summary = { ...latest, ...summarise(run, name) };
  return latest._runtime === undefined ? summary : { ...summary, _wandb: { runtime: latest._runtime } };
}
