import type { Db } from 'mongodb';
import { MongoServerError } from 'mongodb';
import type { CollectionName } from './collections.ts';
import { collectionIndexes, collectionOf } from './collections.ts';
import { isDuplicateKey } from './mongo-errors.ts';

/** A change of the database that was made once and is recorded; it may be repeated and run twice at the same time. */
interface Migration {
  readonly name: string;
  up(db: Db): Promise<void>;
}

/** In order. A name that was released is never changed; what comes later gets a new one. */
const migrations: readonly Migration[] = [
  {
    name: '001-collections-and-indexes',
    up: (db) =>
      create(db, [
        'runs',
        'runEnds',
        'checkpoints',
        'recordings',
        'modelVersions',
        'aliasMoves',
        'trackingLedgers',
        'nonces',
        'migrations',
      ]),
  },
  {
    name: '002-control',
    up: (db) => create(db, ['deployments', 'workloadClaims', 'controlBlocks', 'controlEvents']),
  },
];

const namespaceExistsCode = 48;

/** Brings the database up to date. Idempotent; several processes may do it at once. */
export async function migrate(db: Db, now: () => Date): Promise<void> {
  const records = collectionOf(db, 'migrations');
  const applied = new Set((await records.find().toArray()).map(({ _id }) => _id));
  for (const { name, up } of migrations.filter((migration) => !applied.has(migration.name))) {
    await up(db);
    await records.insertOne({ _id: name, appliedAt: now() }).catch((error: unknown) => {
      if (!isDuplicateKey(error)) throw error;
    });
  }
}

async function create(db: Db, names: readonly CollectionName[]): Promise<void> {
  for (const name of names) {
    await db.createCollection(name).catch((error: unknown) => {
      if (!(error instanceof MongoServerError && error.code === namespaceExistsCode)) throw error;
    });
    // One a command: FerretDB breaks off when a command names two indexes that are there already.
    for (const index of collectionIndexes[name]) await db.collection(name).createIndexes([{ ...index }]);
  }
}
