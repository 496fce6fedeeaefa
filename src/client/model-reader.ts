import { CoxswainError } from '../contracts/errors.ts';
import type { AliasMove, ModelRegistry, ModelSummary, ModelVersion } from '../contracts/stores.ts';

/** A model with all its versions and what its aliases went through. */
export interface Model {
  readonly model: string;
  readonly aliases: Readonly<Record<string, number>>;
  /** Newest first. */
  readonly versions: readonly ModelVersion[];
  /** Oldest first. */
  readonly aliasHistory: readonly AliasMove[];
}

/** The registry, read-only. */
export interface ModelReader {
  list(): Promise<readonly ModelSummary[]>;
  /** MODEL_NOT_FOUND */
  get(model: string): Promise<Model>;
  /** By number or alias. MODEL_NOT_FOUND */
  version(model: string, versionOrAlias: number | string): Promise<ModelVersion>;
}

/** A {@link ModelReader} over the registry. */
export function createModelReader(registry: ModelRegistry): ModelReader {
  return {
    list: () => registry.listModels(),
    async get(model) {
      const [summaries, versions, aliasHistory] = await Promise.all([
        registry.listModels(),
        registry.listVersions(model),
        registry.aliasHistory(model),
      ]);
      const summary = summaries.find((candidate) => candidate.model === model);
      if (summary === undefined) throw notFound(`model ${JSON.stringify(model)}`);
      const newestFirst = [...versions].sort((a, b) => b.version - a.version);
      return { model, aliases: summary.aliases, versions: newestFirst, aliasHistory };
    },
    async version(model, versionOrAlias) {
      const version = await registry.getVersion(model, versionOrAlias);
      if (version !== null) return version;
      throw notFound(`version or alias ${JSON.stringify(versionOrAlias)} of model ${JSON.stringify(model)}`);
    },
  };
}

function notFound(what: string): CoxswainError {
  return new CoxswainError('MODEL_NOT_FOUND', `There is no ${what}.`);
}
