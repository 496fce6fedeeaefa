import type { Collection, Db } from 'mongodb';
import type { NonceStore } from '../../contracts/stores.ts';
import type { NonceDocument } from './collections.ts';
import { collectionOf } from './collections.ts';
import { isDuplicateKey } from './mongo-errors.ts';

const cleanEveryMs = 60_000;

/** Webhook nonces in MongoDB. Expired ones are dropped once a minute, as FerretDB has no TTL indexes. */
export class MongoNonceStore implements NonceStore {
  private readonly nonces: Collection<NonceDocument>;
  private readonly now: () => Date;
  private cleanedAtMs = 0;

  constructor(db: Db, now: () => Date) {
    this.nonces = collectionOf(db, 'nonces');
    this.now = now;
  }

  async useNonce(nonce: string, expiresAt: Date): Promise<boolean> {
    await this.dropExpired();
    try {
      await this.nonces.insertOne({ _id: nonce, expiresAt });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  private async dropExpired(): Promise<void> {
    const now = this.now();
    if (now.getTime() - this.cleanedAtMs < cleanEveryMs) return;
    this.cleanedAtMs = now.getTime();
    await this.nonces.deleteMany({ expiresAt: { $lt: now } });
  }
}
