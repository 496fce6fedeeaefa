import type { Collection, Db } from 'mongodb';
import type { TrackingLedgerStore } from '../../contracts/stores.ts';
import { ledgerConflict } from '../refusals.ts';
import type { TrackingLedgerDocument } from './collections.ts';
import { collectionOf } from './collections.ts';
import { fromStored, toStored } from './document-values.ts';
import { RevisionChain, revisionId } from './revision-chain.ts';

/** Ledgers of outside trackers in MongoDB, by revision. */
export class MongoTrackingLedger implements TrackingLedgerStore {
  private readonly ledgers: Collection<TrackingLedgerDocument>;
  private readonly chain: RevisionChain<TrackingLedgerDocument>;

  constructor(db: Db) {
    this.ledgers = collectionOf(db, 'trackingLedgers');
    this.chain = new RevisionChain(this.ledgers);
  }

  async readLedger(key: string): Promise<{ revision: number; document: unknown } | null> {
    for (;;) {
      const latest = await this.chain.latest([key]);
      if (latest === null) return null;
      // Emptied while it was read: later revisions are there.
      if (latest.document.document === undefined) continue;
      return { revision: latest.number, document: fromStored<unknown>(latest.document.document) };
    }
  }

  async writeLedger(key: string, expectedRevision: number | null, document: unknown): Promise<number> {
    const revision = (expectedRevision ?? 0) + 1;
    if (expectedRevision !== null) {
      if ((await this.chain.read([key], expectedRevision)) === null) throw ledgerConflict(key, expectedRevision);
      await this.empty(key, expectedRevision - 1);
    }
    const appended = await this.chain.append([key], revision, { key, document: toStored(document) });
    if (!appended) throw ledgerConflict(key, expectedRevision);
    return revision;
  }

  /**
   * Drops the content of a superseded revision; the revision itself stays, because numbers must not be used again. Done
   * before the next one is written, so that a failure here leaves the ledger as it was.
   */
  private async empty(key: string, revision: number): Promise<void> {
    if (revision > 0) await this.ledgers.updateOne({ _id: revisionId([key], revision) }, { $unset: { document: 1 } });
  }
}
