import { CoxswainError } from '../contracts/errors.ts';
import type { JsonValue } from '../contracts/run-spec.ts';
import type { TrackingLedgerStore } from '../contracts/stores.ts';
import type { HistoryLine } from './history-lines.ts';

/** What the tracker has acknowledged of one tracked run. */
export interface Ledger {
  readonly format: 1;
  /** Where the run is in the tracker; null before it was started. What another address acknowledged does not count. */
  readonly url: string | null;
  /** Owner of the project there; null before it was started. */
  readonly entity: string | null;
  /** Lines acknowledged, which is the offset of the next one. */
  readonly lines: number;
  /** Metric points in these lines. */
  readonly points: number;
  /** Step of the last acknowledged line. */
  readonly lastStep: number | null;
  /** Latest value of each key in these lines. */
  readonly latest: Readonly<Record<string, JsonValue>>;
  /** True when the model's upload was acknowledged. */
  readonly modelSaved: boolean;
  /**
   * `open`: more may be sent. `finished`: the tracker has closed it. `offline`: the rest belongs into an offline file, for
   * good: sending it as well would double it once somebody syncs the file.
   */
  readonly state: 'open' | 'finished' | 'offline';
  /** Folder of the offline file once it is written. */
  readonly offlineFolder: string | null;
}

/** Nothing acknowledged. */
export const emptyLedger: Ledger = {
  format: 1,
  url: null,
  entity: null,
  lines: 0,
  points: 0,
  lastStep: null,
  latest: {},
  modelSaved: false,
  state: 'open',
  offlineFolder: null,
};

/** The ledger after the next lines. */
export function acknowledged(ledger: Ledger, next: readonly HistoryLine[]): Ledger {
  const latest = { ...ledger.latest };
  for (const [key, json] of next.flatMap(({ fields }) => fields)) latest[key] = JSON.parse(json) as JsonValue;
  return {
    ...ledger,
    lines: ledger.lines + next.length,
    points: ledger.points + next.reduce((sum, { points }) => sum + points, 0),
    lastStep: next.at(-1)?.step ?? ledger.lastStep,
    latest,
  };
}

/** One tracked run's ledger in the store. */
export interface LedgerBook {
  readonly ledger: Ledger;
  /**
   * Writes the next state. When another mirror of the same run has written since, its state is taken over instead: it is
   * as true as ours, because equal lines go to equal offsets.
   */
  write(change: Partial<Ledger>): Promise<void>;
}

/** Opens the ledger of a tracked run. What is stored in another format counts as nothing: lines are then sent again. */
export async function openLedger(store: TrackingLedgerStore, trackedRunId: string): Promise<LedgerBook> {
  const key = `wandb/${trackedRunId}`;
  const read = async (): Promise<{ revision: number | null; ledger: Ledger }> => {
    const stored = await store.readLedger(key);
    return { revision: stored?.revision ?? null, ledger: isLedger(stored?.document) ? stored.document : emptyLedger };
  };
  let current = await read();
  return {
    get ledger() {
      return current.ledger;
    },
    async write(change) {
      const ledger = { ...current.ledger, ...change };
      try {
        current = { revision: await store.writeLedger(key, current.revision, ledger), ledger };
      } catch (error) {
        if (!(error instanceof CoxswainError) || error.code !== 'REGISTRY_CONFLICT') throw error;
        current = await read();
      }
    },
  };
}

function isLedger(document: unknown): document is Ledger {
  return typeof document === 'object' && document !== null && (document as Partial<Ledger>).format === 1;
}
