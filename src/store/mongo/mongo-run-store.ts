import type { Collection, Db, Filter, UpdateFilter } from 'mongodb';
import type { RunQuery, RunRecord, RunStore } from '../../contracts/stores.ts';
import { pageLimit, pageSizes } from '../page-limit.ts';
import { assertEnds, assertGoesOn, isEndStatus, runConflict, runNotFound, statusesThatRefuse } from '../run-rules.ts';
import type { RunDocument, RunEndDocument } from './collections.ts';
import { collectionOf } from './collections.ts';
import { toStored } from './document-values.ts';
import { isDuplicateKey } from './mongo-errors.ts';
import { blankRun, toRecord } from './run-documents.ts';

const newestFirst = { createdAt: -1, _id: -1 } as const;

/**
 * Runs in MongoDB.
 *
 * 1. A run is over when its document in `runEnds` is there. That one is inserted once, so no note that comes late, also
 *    none that FerretDB's updates let through, makes a finished run go on.
 * 2. What `runs` says of the end is a copy for indexes; reading lays the end over it.
 */
export class MongoRunStore implements RunStore {
  private readonly runs: Collection<RunDocument>;
  private readonly ends: Collection<RunEndDocument>;

  constructor(db: Db) {
    this.runs = collectionOf(db, 'runs');
    this.ends = collectionOf(db, 'runEnds');
  }

  async createRun({ runId, spec, specSha256, at }: Parameters<RunStore['createRun']>[0]): Promise<void> {
    const created = await this.insertRun({
      ...blankRun(runId, at),
      pipeline: spec.name,
      spec: toStored(spec),
      specSha256,
    });
    if (created.specSha256 !== specSha256) throw runConflict(runId);
  }

  async getRun(runId: string): Promise<RunRecord | null> {
    const [run, end] = await Promise.all([this.runs.findOne({ _id: runId }), this.ends.findOne({ _id: runId })]);
    return run === null ? null : toRecord(run, end);
  }

  async listRuns(query: RunQuery): Promise<readonly RunRecord[]> {
    const limit = pageLimit(query.limit, pageSizes.runs);
    const found: RunRecord[] = [];
    let before = query.before === undefined ? null : await this.positionOf(query.before);
    for (;;) {
      const wanted = limit - found.length;
      const page = await this.readPage(query, before, wanted);
      // A run whose copied status is behind its end is not what was asked for.
      found.push(...page.filter(({ status }) => query.status === undefined || status === query.status));
      const last = page.at(-1);
      if (page.length < wanted || found.length === limit || last === undefined) return found;
      before = { _id: last.runId, createdAt: last.createdAt };
    }
  }

  async recordStep(runId: string, update: Parameters<RunStore['recordStep']>[1]): Promise<void> {
    assertGoesOn(runId, update.status);
    if ((await this.ends.findOne({ _id: runId }, { projection: { _id: 1 } })) !== null) return;
    const { status, step, stepStatus, summary, at } = update;
    const place = `steps.${step}`;
    const filter = {
      _id: runId,
      finishedAt: null,
      [`${place}.status`]: { $nin: statusesThatRefuse(stepStatus) },
    } as Filter<RunDocument>;
    const moments = {
      ...(stepStatus === 'pending' ? {} : { [`${place}.startedAt`]: at }),
      ...(isEndStatus(stepStatus) ? { [`${place}.finishedAt`]: at } : {}),
    };
    const { matchedCount } = await this.runs.updateOne(filter, {
      $set: { status, step, updatedAt: at, [`${place}.status`]: stepStatus, [`${place}.summary`]: summary },
      // The first start and the first end stay, whatever comes again.
      ...(Object.keys(moments).length === 0 ? {} : { $min: moments }),
    });
    if (matchedCount === 0) await this.positionOf(runId);
  }

  async finishRun(runId: string, end: Parameters<RunStore['finishRun']>[1]): Promise<void> {
    const { status, step, failure, report, at } = end;
    assertEnds(runId, status);
    const run = await this.insertRun(blankRun(runId, at));
    const stored = await this.insertEnd({
      _id: runId,
      pipeline: run.pipeline,
      createdAt: run.createdAt,
      status,
      step,
      failure,
      report: toStored(report),
      finishedAt: at,
    });
    const copy = {
      status: stored.status,
      step: stored.step,
      finishedAt: stored.finishedAt,
      updatedAt: stored.finishedAt,
    };
    await this.runs.updateOne({ _id: runId }, { $set: copy });
  }

  async recordTracking(runId: string, tracking: Parameters<RunStore['recordTracking']>[1]): Promise<void> {
    await this.ends.updateOne({ _id: runId }, {
      $set: { 'report.tracking': toStored(tracking) },
    } as UpdateFilter<RunEndDocument>);
  }

  /** The run's document: this one, or the one that is there. */
  private async insertRun(run: RunDocument): Promise<RunDocument> {
    return (await this.runs.findOne({ _id: run._id })) ?? (await insertOrRead(this.runs, run));
  }

  private async insertEnd(end: RunEndDocument): Promise<RunEndDocument> {
    return insertOrRead(this.ends, end);
  }

  private async positionOf(runId: string): Promise<Position> {
    const run = await this.runs.findOne({ _id: runId }, { projection: { createdAt: 1 } });
    if (run === null) throw runNotFound(runId);
    return { _id: runId, createdAt: run.createdAt };
  }

  private async readPage(query: RunQuery, before: Position | null, limit: number): Promise<RunRecord[]> {
    const filter = {
      ...(query.pipeline === undefined ? {} : { pipeline: query.pipeline }),
      ...(query.status === undefined ? {} : { status: query.status }),
      ...(before === null ? {} : { $or: olderThan(before) }),
    };
    if (query.status !== undefined && isEndStatus(query.status)) {
      const ends = await this.ends
        .find(filter as Filter<RunEndDocument>)
        .sort(newestFirst)
        .limit(limit)
        .toArray();
      const runs = await this.runs.find({ _id: { $in: ends.map(({ _id }) => _id) } }).toArray();
      return joined(ends, runs);
    }
    const runs = await this.runs
      .find(filter as Filter<RunDocument>)
      .sort(newestFirst)
      .limit(limit)
      .toArray();
    const ends = await this.ends.find({ _id: { $in: runs.map(({ _id }) => _id) } }).toArray();
    return runs.map((run) => toRecord(run, ends.find(({ _id }) => _id === run._id) ?? null));
  }
}

interface Position {
  readonly _id: string;
  readonly createdAt: Date;
}

function olderThan({ _id, createdAt }: Position): readonly object[] {
  return [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: _id } }];
}

async function insertOrRead<Document extends { _id: string }>(
  collection: Collection<Document>,
  document: Document,
): Promise<Document> {
  try {
    await collection.insertOne(document as Parameters<typeof collection.insertOne>[0]);
    return document;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const present = await collection.findOne({ _id: document._id } as Filter<Document>);
    // Not visible to a majority read yet: the caller's retry will see it.
    if (present === null) throw error;
    return present as Document;
  }
}

function joined(ends: readonly RunEndDocument[], runs: readonly RunDocument[]): RunRecord[] {
  return ends.flatMap((end) => {
    const run = runs.find(({ _id }) => _id === end._id);
    return run === undefined ? [] : [toRecord(run, end)];
  });
}
