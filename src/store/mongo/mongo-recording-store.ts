import type { Collection, Db } from 'mongodb';
import type { RecordingRecord, RecordingStore } from '../../contracts/stores.ts';
import type { RecordingDocument } from './collections.ts';
import { collectionOf } from './collections.ts';
import { isDuplicateKey } from './mongo-errors.ts';

/** The catalogue of recordings in MongoDB. Entries are inserted once and never changed. */
export class MongoRecordingStore implements RecordingStore {
  private readonly recordings: Collection<RecordingDocument>;

  constructor(db: Db) {
    this.recordings = collectionOf(db, 'recordings');
  }

  async saveRecording({ artifact, ...entry }: RecordingRecord): Promise<void> {
    try {
      await this.recordings.insertOne({ _id: artifact.sha256, bytes: artifact.bytes, ...entry });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  async getRecording(sha256: string): Promise<RecordingRecord | null> {
    const document = await this.recordings.findOne({ _id: sha256 });
    if (document === null) return null;
    const { _id, bytes, ...entry } = document;
    return { artifact: { sha256: _id, bytes }, ...entry };
  }
}
