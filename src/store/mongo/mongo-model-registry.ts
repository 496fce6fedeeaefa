import { setTimeout as delay } from 'node:timers/promises';
import type { Collection, Db } from 'mongodb';
import { CoxswainError } from '../../contracts/errors.ts';
import type {
  AliasMove,
  ModelLineage,
  ModelRegistry,
  ModelSummary,
  ModelVersion,
  TrainedFor,
} from '../../contracts/stores.ts';
import { aliasConflict, versionNotFound } from '../refusals.ts';
import type { AliasMoveDocument, ModelVersionDocument } from './collections.ts';
import { collectionOf } from './collections.ts';
import { fromStored, toStored } from './document-values.ts';
import { isDuplicateKey } from './mongo-errors.ts';
import { RevisionChain, revisionId } from './revision-chain.ts';

const maxTries = 40;

/**
 * The model registry in MongoDB.
 *
 * 1. Versions and alias moves are inserted once and never changed.
 * 2. An alias points where its last move says; there is no second record of it that a crash could leave behind.
 */
export class MongoModelRegistry implements ModelRegistry {
  private readonly versions: Collection<ModelVersionDocument>;
  private readonly moves: Collection<AliasMoveDocument>;
  private readonly aliases: RevisionChain<AliasMoveDocument>;

  constructor(db: Db) {
    this.versions = collectionOf(db, 'modelVersions');
    this.moves = collectionOf(db, 'aliasMoves');
    this.aliases = new RevisionChain(this.moves);
  }

  async registerVersion({ at, ...given }: Parameters<ModelRegistry['registerVersion']>[0]): Promise<ModelVersion> {
    const { model, lineage } = given;
    for (let attempt = 0; attempt < maxTries; attempt++) {
      const present = await this.versions.findOne({ model, runId: lineage.runId });
      if (present !== null) return toVersion(present);
      const version = (await this.latestVersion(model)) + 1;
      const document = toDocument({ ...given, version, createdAt: at });
      if (await this.insertVersion(document)) return toVersion(document);
      await delay(Math.random() * 5 * attempt);
    }
    const message = `Model ${model} is registered by too many runs at once. Try again.`;
    throw new CoxswainError('REGISTRY_CONFLICT', message);
  }

  async moveAlias({ expected, ...move }: Parameters<ModelRegistry['moveAlias']>[0]): Promise<void> {
    const { model, alias, to } = move;
    if ((await this.versionNumbered(model, to)) === null) throw versionNotFound(model, to);
    await this.aliases.change([model, alias], (current) => {
      const from = current?.to ?? null;
      if (from === to) return null;
      if (from !== expected) throw aliasConflict(model, alias, expected, from);
      return { ...move, from };
    });
  }

  async getVersion(model: string, versionOrAlias: number | string): Promise<ModelVersion | null> {
    const number =
      typeof versionOrAlias === 'number'
        ? versionOrAlias
        : (await this.aliases.latest([model, versionOrAlias]))?.document.to;
    const document = number === undefined ? null : await this.versionNumbered(model, number);
    return document === null ? null : toVersion(document);
  }

  async listVersions(model: string): Promise<readonly ModelVersion[]> {
    return (await this.versions.find({ model }).sort({ version: -1 }).toArray()).map(toVersion);
  }

  async listModels(): Promise<readonly ModelSummary[]> {
    const [versions, moves] = await Promise.all([
      this.versions.find({}, { projection: { model: 1, version: 1 } }).toArray(),
      this.moves.find({}, { projection: { model: 1, alias: 1, to: 1 } }).toArray(),
    ]);
    const latest = new Map<string, number>();
    for (const { model, version } of versions) latest.set(model, Math.max(version, latest.get(model) ?? 0));
    return [...latest]
      .map(([model, latestVersion]) => ({ model, latestVersion, aliases: aliasesOf(model, moves) }))
      .sort((a, b) => (a.model < b.model ? -1 : 1));
  }

  async aliasHistory(model: string): Promise<readonly AliasMove[]> {
    const moves = await this.moves.find({ model }).toArray();
    return moves
      .sort((a, b) => a.at.getTime() - b.at.getTime() || revisionOf(a) - revisionOf(b))
      .map(({ _id, ...move }) => move);
  }

  private async latestVersion(model: string): Promise<number> {
    const [last] = await this.versions
      .find({ model }, { projection: { version: 1 } })
      .sort({ version: -1 })
      .limit(1)
      .toArray();
    return last?.version ?? 0;
  }

  /** False when the number, or the run's place, was taken in the meantime. */
  private async insertVersion(document: ModelVersionDocument): Promise<boolean> {
    try {
      await this.versions.insertOne(document);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  private versionNumbered(model: string, version: number): Promise<ModelVersionDocument | null> {
    return this.versions.findOne({ _id: revisionId([model], version) });
  }
}

function aliasesOf(model: string, moves: readonly AliasMoveDocument[]): Record<string, number> {
  const inOrder = moves.filter((move) => move.model === model).sort((a, b) => revisionOf(a) - revisionOf(b));
  return Object.fromEntries(inOrder.map(({ alias, to }) => [alias, to]));
}

function revisionOf({ _id }: AliasMoveDocument): number {
  return (JSON.parse(_id) as [string, string, number])[2];
}

function toDocument(version: ModelVersion): ModelVersionDocument {
  const { lineage, model, trainedFor } = version;
  const stored = { ...lineage, versions: toStored(lineage.versions) };
  const target = trainedFor === undefined ? {} : { trainedFor: toStored(trainedFor) };
  return { ...version, ...target, _id: revisionId([model], version.version), runId: lineage.runId, lineage: stored };
}

function toVersion({ _id, runId: _runId, lineage, trainedFor, ...rest }: ModelVersionDocument): ModelVersion {
  const target = trainedFor === undefined ? {} : { trainedFor: fromStored<TrainedFor>(trainedFor) };
  return {
    ...rest,
    ...target,
    lineage: { ...lineage, versions: fromStored<ModelLineage['versions']>(lineage.versions) },
  };
}
