import type {
  CheckpointRecord,
  CheckpointStore,
  Fence,
  MetricPoint,
  MetricQuery,
  MetricStore,
  RecordingRecord,
  RecordingStore,
} from '../../src/contracts/stores.ts';
import { pageLimit, pageSizes } from '../../src/store/page-limit.ts';
import { staleFence, staleStep } from '../../src/store/refusals.ts';

/** Metric points in memory. */
export class MemoryMetricStore implements MetricStore {
  private readonly points = new Map<string, MetricPoint>();

  async appendPoints(points: readonly MetricPoint[]): Promise<void> {
    for (const point of points) {
      const key = JSON.stringify([point.runId, point.series, point.step]);
      if (!this.points.has(key)) this.points.set(key, structuredClone(point));
    }
  }

  async readPoints(query: MetricQuery): Promise<readonly MetricPoint[]> {
    const limit = pageLimit(query.limit, pageSizes.points);
    const chosen = [...this.points.values()]
      .filter((point) => point.runId === query.runId)
      .filter((point) => query.series === undefined || point.series === query.series)
      .filter((point) => query.afterStep === undefined || point.step > query.afterStep)
      .sort((a, b) => (a.series < b.series ? -1 : a.series > b.series ? 1 : a.step - b.step));
    return structuredClone(chosen.slice(0, limit));
  }

  async listSeries(runId: string): Promise<readonly string[]> {
    const points = [...this.points.values()].filter((point) => point.runId === runId);
    return [...new Set(points.map(({ series }) => series))].sort();
  }
}

/** Checkpoints in memory, fenced. */
export class MemoryCheckpointStore implements CheckpointStore {
  private readonly held = new Map<string, { fence: Fence; record: CheckpointRecord | null }>();

  async takeOver(runId: string, series: string, fence: Fence): Promise<CheckpointRecord | null> {
    const present = this.held.get(keyOf(runId, series));
    if (present !== undefined && present.fence > fence) throw staleFence(runId, series, fence, present.fence);
    const record = present?.record ?? null;
    this.held.set(keyOf(runId, series), { fence, record });
    return structuredClone(record);
  }

  async saveCheckpoint(record: CheckpointRecord): Promise<void> {
    const { runId, series, step, fence } = record;
    const present = this.held.get(keyOf(runId, series));
    if (present !== undefined && present.fence > fence) throw staleFence(runId, series, fence, present.fence);
    const stored = present?.record?.step ?? -1;
    if (stored > step) throw staleStep(runId, series, step, stored);
    this.held.set(keyOf(runId, series), { fence, record: structuredClone(record) });
  }

  async latestCheckpoint(runId: string, series: string): Promise<CheckpointRecord | null> {
    return structuredClone(this.held.get(keyOf(runId, series))?.record ?? null);
  }
}

/** The catalogue of recordings in memory. */
export class MemoryRecordingStore implements RecordingStore {
  private readonly records = new Map<string, RecordingRecord>();

  async saveRecording(record: RecordingRecord): Promise<void> {
    const { sha256 } = record.artifact;
    if (!this.records.has(sha256)) this.records.set(sha256, structuredClone(record));
  }

  async getRecording(sha256: string): Promise<RecordingRecord | null> {
    return structuredClone(this.records.get(sha256) ?? null);
  }
}

function keyOf(runId: string, series: string): string {
  return JSON.stringify([runId, series]);
}
