import type { Clock, MirrorLimits } from './mirror-ports.ts';
import type { TrackerFailure } from './tracker.ts';

/**
 * When to leave a failing tracker alone: after each failure for twice as long, up to a limit, and for good when it does
 * not accept the credentials.
 */
export class SendPauses {
  private readonly limits: Pick<MirrorLimits, 'minPauseMs' | 'maxPauseMs'>;
  private readonly clock: Clock;
  private failures = 0;
  private untilMs = 0;

  constructor(limits: Pick<MirrorLimits, 'minPauseMs' | 'maxPauseMs'>, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
  }

  /** True from a failure until the next success. */
  get isFailing(): boolean {
    return this.failures > 0 || this.isHopeless;
  }

  /** True when the tracker will not take anything any more. */
  get isHopeless(): boolean {
    return this.untilMs === Infinity;
  }

  mayTry(): boolean {
    return this.clock.now() >= this.untilMs;
  }

  succeeded(): void {
    if (this.isHopeless) return;
    this.failures = 0;
    this.untilMs = 0;
  }

  /** Failures of calls that ran at the same time count as one. */
  failed({ kind }: TrackerFailure): void {
    const { minPauseMs, maxPauseMs } = this.limits;
    if (kind === 'unauthorized') this.untilMs = Infinity;
    if (!this.mayTry()) return;
    this.untilMs = this.clock.now() + Math.min(maxPauseMs, minPauseMs * 2 ** this.failures);
    this.failures += 1;
  }

  /** Lets the next try come at once, for example because the run is over. */
  cutShort(): void {
    if (!this.isHopeless) this.untilMs = 0;
  }
}
