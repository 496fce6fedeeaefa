import type { Db } from 'mongodb';
import type { CheckpointRecord, CheckpointStore, Fence } from '../../contracts/stores.ts';
import { staleFence, staleStep } from '../refusals.ts';
import type { CheckpointDocument } from './collections.ts';
import { collectionOf } from './collections.ts';
import { RevisionChain } from './revision-chain.ts';

/** Checkpoints in MongoDB: each take-over and each checkpoint is a revision of its series. */
export class MongoCheckpointStore implements CheckpointStore {
  private readonly chain: RevisionChain<CheckpointDocument>;

  constructor(db: Db) {
    this.chain = new RevisionChain(collectionOf(db, 'checkpoints'));
  }

  async takeOver(runId: string, series: string, fence: Fence): Promise<CheckpointRecord | null> {
    const before = await this.chain.change([runId, series], (current) => {
      refuseLowerFence(runId, series, fence, current);
      if (current?.fence === fence) return null;
      return { runId, series, fence, checkpoint: current?.checkpoint ?? null };
    });
    return toRecord(before);
  }

  async saveCheckpoint({ runId, series, step, artifact, fence }: CheckpointRecord): Promise<void> {
    await this.chain.change([runId, series], (current) => {
      refuseLowerFence(runId, series, fence, current);
      const stored = current?.checkpoint ?? null;
      if (stored !== null && stored.step > step) throw staleStep(runId, series, step, stored.step);
      const present = stored?.step === step && stored.fence === fence && stored.artifact.sha256 === artifact.sha256;
      return present ? null : { runId, series, fence, checkpoint: { step, artifact, fence } };
    });
  }

  async latestCheckpoint(runId: string, series: string): Promise<CheckpointRecord | null> {
    return toRecord((await this.chain.latest([runId, series]))?.document ?? null);
  }
}

function refuseLowerFence(runId: string, series: string, fence: Fence, current: CheckpointDocument | null): void {
  if (current !== null && current.fence > fence) throw staleFence(runId, series, fence, current.fence);
}

function toRecord(document: CheckpointDocument | null): CheckpointRecord | null {
  if (document === null || document.checkpoint === null) return null;
  const { step, artifact, fence } = document.checkpoint;
  return { runId: document.runId, series: document.series, step, artifact, fence };
}
