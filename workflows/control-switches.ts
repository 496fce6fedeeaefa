import { setHandler } from '@temporalio/workflow';
import { controlModes } from '../src/contracts/control.ts';
import type {
  ControlMode,
  ControlResume,
  ControlState,
  ControlStatus,
  RequestedChange,
  StepSummary,
} from '../src/contracts/control.ts';
import {
  fallBackUpdate,
  pauseControlUpdate,
  resumeControlUpdate,
  setControlModeUpdate,
  stopControlUpdate,
} from '../src/contracts/messages.ts';
import { fallbackOf } from '../src/domain/control/fallback-rules.ts';

/**
 * What people can change of a running loop, and the state that they change. Updates take effect at once on the state, and
 * on the cluster with the next step; each leaves an event to be recorded. A change that is there already leaves none.
 */
export class ControlSwitches {
  state: ControlState;
  failedSteps: number;
  stopping = false;
  opened: boolean;
  /** Changes that are not recorded yet, oldest first. */
  readonly events: RequestedChange[];
  private phase: ControlStatus['status'];
  private last: StepSummary | null = null;
  private shownStage: string | null = null;

  /** @param resumed what an earlier run of the loop left; null = it is being opened. */
  constructor(state: ControlState, resumed: Pick<ControlResume, 'failedSteps' | 'events'> | null) {
    this.state = state;
    this.failedSteps = resumed?.failedSteps ?? 0;
    this.events = [...(resumed?.events ?? [])];
    this.opened = resumed !== null;
    this.phase = this.opened ? 'running' : 'opening';
    const status = (): ControlStatus => this.status();
    const running = { validator: () => this.refuseUnlessRunning() };
    setHandler(pauseControlUpdate, () => (this.pause(), status()), running);
    setHandler(resumeControlUpdate, () => (this.resume(), status()), running);
    setHandler(fallBackUpdate, (why) => (this.fallBack(why), status()), {
      validator: (_why) => this.refuseUnlessRunning(),
    });
    setHandler(setControlModeUpdate, (mode) => (this.setMode(mode), status()), {
      validator: (mode) => {
        this.refuseUnlessRunning();
        if (!controlModes.includes(mode))
          throw new Error(`There is no mode ${String(mode)}: ${controlModes.join(', ')}.`);
      },
    });
    // A loop can be stopped at any time, also while it is being opened.
    setHandler(stopControlUpdate, () => {
      this.stopping = true;
      return status();
    });
  }

  status(): ControlStatus {
    const running = this.state.paused ? 'paused' : 'running';
    const status = this.phase === 'running' ? (this.stopping ? 'stopping' : running) : this.phase;
    return { ...this.state, status, last: this.last, failedSteps: this.failedSteps };
  }

  begin(state: ControlState): void {
    this.state = state;
    this.opened = true;
    this.phase = 'running';
  }

  end(phase: 'stopping' | 'stopped' | 'failed'): void {
    this.phase = phase;
  }

  /** What a step carries on; what people changed while it ran stays changed. */
  carryOn(before: ControlState, summary: StepSummary): void {
    const { mode, paused, fallback, stepsWithoutObservation, stepsWithoutPolicy, budget } = this.state;
    const rested = mode === before.mode ? {} : { stepsWithoutObservation, budget };
    const steered = { fallback, stepsWithoutObservation, stepsWithoutPolicy, budget };
    this.state = { ...summary.state, mode, paused, ...(fallback === before.fallback ? rested : steered) };
    this.last = summary;
  }

  /** The step failed as a whole. */
  skipStep(): void {
    this.failedSteps++;
    this.state = { ...this.state, step: this.state.step + 1 };
  }

  /** The stage to show, or null when it is shown already. */
  newStage(): string | null {
    const { paused, fallback, mode } = this.state;
    const acting = fallback === null ? mode : `${mode}, fallback`;
    const stage = this.phase === 'running' ? (paused ? 'paused' : acting) : this.phase;
    if (stage === this.shownStage) return null;
    this.shownStage = stage;
    return stage;
  }

  private refuseUnlessRunning(): void {
    if (this.phase === 'opening') throw new Error('The deployment is being opened; try again in some seconds.');
    if (this.phase !== 'running' || this.stopping) throw new Error('The deployment is being stopped, or over.');
  }

  private pause(): void {
    if (this.state.paused) return;
    this.state = { ...this.state, paused: true };
    this.note('paused', 'Somebody paused the loop: nothing acts until it is resumed.');
  }

  private resume(): void {
    if (this.state.paused) this.note('resumed', 'Somebody resumed the loop.');
    if (this.state.fallback !== null) this.note('policy-resumed', 'Somebody gave the policy back its place.');
    const rested = { paused: false, fallback: null, stepsWithoutObservation: 0, stepsWithoutPolicy: 0, budget: [] };
    this.state = { ...this.state, ...(this.state.fallback === null ? { paused: false } : rested) };
  }

  private fallBack(why: string): void {
    if (this.state.fallback !== null) return;
    const detail = typeof why === 'string' && why !== '' ? why.slice(0, 500) : 'Somebody asked for it.';
    this.state = { ...this.state, fallback: fallbackOf(['requested', detail], this.state.step, new Date()) };
    this.note('fallback', `The fallback takes over from the policy (requested): ${detail}`, true);
  }

  private setMode(mode: ControlMode): void {
    if (this.state.mode === mode) return;
    this.note('mode', `The mode is ${mode} from now on; it was ${this.state.mode}.`);
    // What went wrong while nobody acted is not the policy's.
    this.state = { ...this.state, mode, stepsWithoutObservation: 0, budget: [] };
  }

  private note(kind: RequestedChange['kind'], message: string, alert = false): void {
    const { deployment, step } = this.state;
    this.events.push({ deployment, step, kind, message, alert });
  }
}
