import type { Collection, Db, Filter } from 'mongodb';
import type { MetricPoint, MetricQuery, MetricStore } from '../../contracts/stores.ts';
import { pageLimit, pageSizes } from '../page-limit.ts';
import type { MetricPointDocument } from './collections.ts';
import { fromStored, toStored } from './document-values.ts';
import { metricCollectionName, metricIdRange, metricPointId } from './metric-keys.ts';
import { isOnlyDuplicates } from './mongo-errors.ts';

/** Metric points in MongoDB. Inserted once under an id that names run, series and step, and never changed. */
export class MongoMetricStore implements MetricStore {
  private readonly db: Db;

  constructor(db: Db) {
    this.db = db;
  }

  async appendPoints(points: readonly MetricPoint[]): Promise<void> {
    for (const runId of new Set(points.map((point) => point.runId))) {
      await this.appendToRun(
        runId,
        points.filter((point) => point.runId === runId),
      );
    }
  }

  async readPoints(query: MetricQuery): Promise<readonly MetricPoint[]> {
    const filter: Filter<MetricPointDocument> = {
      ...idFilter(query.runId, query.series),
      ...(query.afterStep === undefined ? {} : { step: { $gt: query.afterStep } }),
    };
    const documents = await this.pointsOf(query.runId)
      .find(filter)
      .sort({ _id: 1 })
      .limit(pageLimit(query.limit, pageSizes.points))
      .toArray();
    return documents.map(toPoint);
  }

  async listSeries(runId: string): Promise<readonly string[]> {
    return (await this.pointsOf(runId).distinct('series', idFilter(runId))).sort();
  }

  private async appendToRun(runId: string, points: readonly MetricPoint[]): Promise<void> {
    try {
      await this.pointsOf(runId).insertMany(points.map(toDocument), { ordered: false });
    } catch (error) {
      if (!isOnlyDuplicates(error)) throw error;
    }
  }

  private pointsOf(runId: string): Collection<MetricPointDocument> {
    return this.db.collection<MetricPointDocument>(metricCollectionName(runId));
  }
}

function idFilter(runId: string, series?: string): Filter<MetricPointDocument> {
  const [above, below] = metricIdRange(runId, series);
  return { _id: { $gt: above, $lt: below } };
}

function toDocument({ runId, series, step, at, values }: MetricPoint): MetricPointDocument {
  return { _id: metricPointId(runId, series, step), runId, series, step, at, values: toStored(values) };
}

function toPoint({ runId, series, step, at, values }: MetricPointDocument): MetricPoint {
  return { runId, series, step, at, values: fromStored<MetricPoint['values']>(values) };
}
