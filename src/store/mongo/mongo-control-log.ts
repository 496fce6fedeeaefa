import { createHash } from 'node:crypto';
import type { Collection, Db, Filter } from 'mongodb';
import type { ControlDecision, ControlEvent, DecisionQuery } from '../../contracts/control.ts';
import { pageLimit, pageSizes } from '../page-limit.ts';
import { decisionMissing } from '../refusals.ts';
import type {
  ControlBlockDocument,
  ControlDecisionDocument,
  ControlEventDocument,
  ControlOutcomeDocument,
} from './collections.ts';
import { collectionOf } from './collections.ts';
import { blockOf, decisionCollectionName, decisionId, lastStepOf } from './decision-keys.ts';
import { isDuplicateKey } from './mongo-errors.ts';
import { packJson, unpackJson } from './packed-json.ts';
import { RevisionChain } from './revision-chain.ts';

type StepDocument = ControlDecisionDocument | ControlOutcomeDocument;
type Outcome = Pick<ControlDecision, 'result' | 'summary'>;

/**
 * What control loops did, in MongoDB.
 *
 * 1. Decision and outcome of a step are inserted once, each as a document of its own, and never changed: of two attempts
 *    the first one stays.
 * 2. A block of steps is noted before the first decision in it is written, so the last decision is found without
 *    reading all of them.
 */
export class MongoControlLog {
  private readonly db: Db;
  private readonly blocks: RevisionChain<ControlBlockDocument>;
  private readonly events: Collection<ControlEventDocument>;
  /** The highest block that is known to be noted, by deployment. */
  private readonly notedBlocks = new Map<string, number>();

  constructor(db: Db) {
    this.db = db;
    this.blocks = new RevisionChain(collectionOf(db, 'controlBlocks'));
    this.events = collectionOf(db, 'controlEvents');
  }

  async writeDecision(decision: ControlDecision): Promise<ControlDecision> {
    const { deployment, step } = decision;
    await this.noteBlock(deployment, blockOf(step));
    const documents = this.stepsOf(deployment, blockOf(step));
    if (await isInserted(documents, toDocument(decision))) return { ...decision, result: null, summary: null };
    return (await this.getDecision(deployment, step)) ?? decision;
  }

  async completeDecision(deployment: string, step: number, end: Outcome): Promise<void> {
    const documents = this.stepsOf(deployment, blockOf(step));
    const there = await documents.findOne({ _id: decisionId(deployment, step, 'decision') });
    if (there === null) throw decisionMissing(deployment, step);
    const _id = decisionId(deployment, step, 'outcome');
    await isInserted(documents, { _id, deployment, step, outcome: packJson(end) });
  }

  async getDecision(deployment: string, step: number): Promise<ControlDecision | null> {
    const documents = this.stepsOf(deployment, blockOf(step));
    const [decision, outcome] = await Promise.all([
      documents.findOne({ _id: decisionId(deployment, step, 'decision') }),
      documents.findOne({ _id: decisionId(deployment, step, 'outcome') }),
    ]);
    return toDecisions([decision, outcome].filter((document) => document !== null))[0] ?? null;
  }

  async latestDecision(deployment: string): Promise<ControlDecision | null> {
    const last = await this.blocks.latest([deployment]);
    for (let revision = last?.number ?? 0; revision > 0; revision--) {
      const noted = await this.blocks.read([deployment], revision);
      if (noted === null) continue;
      const decision = await this.lastOfBlock(deployment, noted.block);
      // A block is empty when the process died between noting it and writing into it.
      if (decision !== null) return decision;
    }
    return null;
  }

  async readDecisions({ deployment, afterStep = -1, limit }: DecisionQuery): Promise<readonly ControlDecision[]> {
    const wanted = pageLimit(limit, pageSizes.decisions);
    const last = (await this.blocks.latest([deployment]))?.document.block ?? -1;
    const found: ControlDecision[] = [];
    for (let block = blockOf(afterStep + 1); block <= last && found.length < wanted; block++) {
      found.push(...(await this.readBlock(deployment, block, afterStep, wanted - found.length)));
    }
    return found;
  }

  async addEvent(event: ControlEvent): Promise<void> {
    await isInserted(this.events, { _id: eventId(event), ...event });
  }

  async listEvents(deployment: string): Promise<readonly ControlEvent[]> {
    const documents = await this.events
      .find({ deployment })
      .sort({ at: -1, _id: -1 })
      .limit(pageSizes.controlEvents.max)
      .toArray();
    return documents.map(({ _id, ...event }) => event);
  }

  /** Reads at most `limit` decisions above `afterStep` in one block. */
  private async readBlock(
    deployment: string,
    block: number,
    afterStep: number,
    limit: number,
  ): Promise<ControlDecision[]> {
    const documents = await this.stepsOf(deployment, block)
      .find(inBlock(deployment, block, afterStep + 1))
      .sort({ _id: 1 })
      // Two documents a step at most, so the outcomes of the first `limit` decisions are among them.
      .limit(2 * limit)
      .toArray();
    return toDecisions(documents).slice(0, limit);
  }

  private async lastOfBlock(deployment: string, block: number): Promise<ControlDecision | null> {
    const documents = await this.stepsOf(deployment, block)
      .find(inBlock(deployment, block))
      .sort({ _id: -1 })
      .limit(2)
      .toArray();
    return toDecisions(documents.reverse()).at(-1) ?? null;
  }

  private async noteBlock(deployment: string, block: number): Promise<void> {
    if ((this.notedBlocks.get(deployment) ?? -1) >= block) return;
    await this.blocks.change([deployment], (current) =>
      current !== null && current.block >= block ? null : { deployment, block },
    );
    this.notedBlocks.set(deployment, block);
  }

  private stepsOf(deployment: string, block: number): Collection<StepDocument> {
    return this.db.collection<StepDocument>(decisionCollectionName(deployment, block));
  }
}

/** The documents of a block from `fromStep` on. */
function inBlock(deployment: string, block: number, fromStep = 0): Filter<StepDocument> {
  const first = Math.max(fromStep, lastStepOf(block - 1) + 1);
  const last = decisionId(deployment, lastStepOf(block), 'outcome');
  return { _id: { $gte: decisionId(deployment, first, 'decision'), $lte: last } };
}

/** Inserts a document; false when one of its id is there. */
async function isInserted<Document extends { _id: string }>(
  collection: Collection<Document>,
  document: Document,
): Promise<boolean> {
  try {
    await collection.insertOne(document as Parameters<typeof collection.insertOne>[0]);
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

function toDocument({ result: _result, summary: _summary, ...decision }: ControlDecision): ControlDecisionDocument {
  const { deployment, step, at, mode, actor, ...rest } = decision;
  return { _id: decisionId(deployment, step, 'decision'), deployment, step, at, mode, actor, decision: packJson(rest) };
}

/** The decisions among documents in the order of their ids, each with its outcome. */
function toDecisions(documents: readonly StepDocument[]): ControlDecision[] {
  const decisions: ControlDecision[] = [];
  for (const document of documents) {
    if ('decision' in document) decisions.push(withoutOutcome(document));
    else if (decisions.at(-1)?.step === document.step) {
      decisions.push({ ...decisions.pop()!, ...unpackJson<Outcome>(document.outcome) });
    }
  }
  return decisions;
}

function withoutOutcome({ _id, decision, ...fields }: ControlDecisionDocument): ControlDecision {
  return {
    ...fields,
    ...unpackJson<Omit<ControlDecision, keyof typeof fields | keyof Outcome>>(decision),
    result: null,
    summary: null,
  };
}

function eventId({ deployment, step, kind, message }: ControlEvent): string {
  const hash = createHash('sha256').update(message).digest('hex').slice(0, 16);
  return `${deployment} ${String(step).padStart(16, '0')} ${kind} ${hash}`;
}
