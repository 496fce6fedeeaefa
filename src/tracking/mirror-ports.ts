import { setTimeout as delay } from 'node:timers/promises';
import type { ArtifactStore, Store } from '../contracts/stores.ts';
import type { TrackingTarget } from './run-descriptions.ts';
import type { Tracker } from './tracker.ts';

/** What the mirror works with. */
export interface MirrorPorts {
  readonly store: Pick<Store, 'runs' | 'metrics' | 'models' | 'trackingLedgers'>;
  readonly artifacts: ArtifactStore;
  readonly tracker: Tracker;
  readonly target: TrackingTarget;
  /** Folder that gets a folder a tracked run for what could not be sent; null = it is only counted. */
  readonly offlineFolder: string | null;
  readonly limits: MirrorLimits;
  readonly clock: Clock;
}

/** Time as the mirror sees it. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Resolves after `ms`, or as soon as `signal` is aborted. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
};

/** How often the mirror looks and how long it may take. */
export interface MirrorLimits {
  /** Between two looks for new points. */
  readonly pollMs: number;
  /** Between two looks whether the run is over. */
  readonly watchMs: number;
  /** A tracked run is heard of at least this often. */
  readonly heartbeatMs: number;
  /** Points of a series in one request at most; bounds what is in memory. */
  readonly batchPoints: number;
  /** First and longest pause after a failure of the tracker; it doubles in between. */
  readonly minPauseMs: number;
  readonly maxPauseMs: number;
  /** After the run's end: how long the rest may take to send. */
  readonly endMs: number;
  /** The same while the tracker is failing. */
  readonly endFailingMs: number;
  /** How long counting the unsent and writing the offline files may take. */
  readonly settleMs: number;
}

export const defaultLimits: MirrorLimits = {
  pollMs: 10_000,
  watchMs: 1_000,
  heartbeatMs: 30_000,
  batchPoints: 1_000,
  minPauseMs: 2_000,
  maxPauseMs: 60_000,
  endMs: 12_000,
  endFailingMs: 4_000,
  settleMs: 5_000,
};
