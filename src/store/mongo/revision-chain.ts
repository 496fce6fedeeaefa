import { setTimeout as delay } from 'node:timers/promises';
import type { Collection, Filter, OptionalUnlessRequiredId } from 'mongodb';
import { CoxswainError } from '../../contracts/errors.ts';
import { isDuplicateKey } from './mongo-errors.ts';

/** A state of a key and its number; the first is 1. */
export interface Revision<Document> {
  readonly number: number;
  readonly document: Document;
}

const maxTries = 40;
const rememberedKeys = 1_000;

/**
 * Compare-and-set by insertion: every state of a key is a document of its own, `_id` = key and revision number.
 *
 * 1. A revision is inserted once and keeps what decides; the unique `_id` lets one of several writers win. This is so
 *    because FerretDB's updates are not atomic: two that match the same state both succeed, and one is lost.
 * 2. Revisions of a key have no gap, so that the last one is found with lookups of single ids, which FerretDB answers
 *    without reading the collection.
 * 3. A crash between two inserts leaves a valid state: there is nothing beside the last revision to keep in step.
 */
export class RevisionChain<Document extends { _id: string }> {
  private readonly collection: Collection<Document>;
  /** A revision that is known to exist, by key: where to look from. */
  private readonly known = new Map<string, number>();

  constructor(collection: Collection<Document>) {
    this.collection = collection;
  }

  /** The last revision, or null when the key is new. */
  async latest(key: readonly string[]): Promise<Revision<Document> | null> {
    const name = JSON.stringify(key);
    const found = await this.lastFrom(key, this.known.get(name) ?? 0);
    if (found !== null) this.remember(name, found.number);
    // A remembered revision that is gone was removed with its run: look from the start.
    else if (this.known.delete(name)) return this.latest(key);
    return found;
  }

  /** The revision `number`, or null. */
  async read(key: readonly string[], number: number): Promise<Document | null> {
    return (await this.collection.findOne({ _id: revisionId(key, number) } as Filter<Document>)) as Document | null;
  }

  /** Inserts revision `number`; false when somebody else has. The revision before it must exist. */
  async append(key: readonly string[], number: number, state: Omit<Document, '_id'>): Promise<boolean> {
    try {
      const document = { ...state, _id: revisionId(key, number) };
      await this.collection.insertOne(document as unknown as OptionalUnlessRequiredId<Document>);
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
    this.remember(JSON.stringify(key), number);
    return true;
  }

  /**
   * Moves the key on: `change` makes the next state of the current one (null = new key), gives null when there is
   * nothing to do, or throws to refuse. It is called again when another writer was faster. Returns the state before.
   */
  async change(
    key: readonly string[],
    change: (current: Document | null) => Omit<Document, '_id'> | null,
  ): Promise<Document | null> {
    for (let attempt = 0; attempt < maxTries; attempt++) {
      const current = await this.latest(key);
      const next = change(current?.document ?? null);
      if (next === null || (await this.append(key, (current?.number ?? 0) + 1, next))) return current?.document ?? null;
      // The winner's write may not be visible to majority reads yet.
      await delay(attempt < 3 ? 1 : 5 * Math.random() * attempt);
    }
    const message = `${this.collection.collectionName} ${JSON.stringify(key)} is written by too many at once. Try again.`;
    throw new CoxswainError('STORE_UNAVAILABLE', message);
  }

  /** Doubles the stride until a revision is missing, then halves the interval between. */
  private async lastFrom(key: readonly string[], start: number): Promise<Revision<Document> | null> {
    let low = start;
    let last: Document | null = null;
    let stride = 1;
    for (;;) {
      const document = await this.read(key, low + stride);
      if (document === null) break;
      [low, last, stride] = [low + stride, document, stride * 2];
    }
    let missing = low + stride;
    while (missing - low > 1) {
      const middle = low + Math.floor((missing - low) / 2);
      const document = await this.read(key, middle);
      if (document === null) missing = middle;
      else [low, last] = [middle, document];
    }
    last ??= low === 0 ? null : await this.read(key, low);
    return last === null ? null : { number: low, document: last };
  }

  private remember(name: string, number: number): void {
    if (this.known.size >= rememberedKeys && !this.known.has(name)) this.known.clear();
    this.known.set(name, Math.max(number, this.known.get(name) ?? 0));
  }
}

/** The id of a key's revision. */
export function revisionId(key: readonly string[], number: number): string {
  return JSON.stringify([...key, number]);
}
