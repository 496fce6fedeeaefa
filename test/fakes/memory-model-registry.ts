import type { AliasMove, ModelRegistry, ModelSummary, ModelVersion } from '../../src/contracts/stores.ts';
import { aliasConflict, versionNotFound } from '../../src/store/refusals.ts';

/** The model registry in memory. */
export class MemoryModelRegistry implements ModelRegistry {
  private readonly versions = new Map<string, ModelVersion[]>();
  private readonly moves: AliasMove[] = [];

  async registerVersion({ at, ...version }: Parameters<ModelRegistry['registerVersion']>[0]): Promise<ModelVersion> {
    const versions = this.versions.get(version.model) ?? [];
    const present = versions.find(({ lineage }) => lineage.runId === version.lineage.runId);
    if (present !== undefined) return structuredClone(present);
    const registered = structuredClone({ ...version, version: versions.length + 1, createdAt: at });
    this.versions.set(version.model, [...versions, registered]);
    return structuredClone(registered);
  }

  async moveAlias({ expected, ...move }: Parameters<ModelRegistry['moveAlias']>[0]): Promise<void> {
    const { model, alias, to } = move;
    if (!this.versions.get(model)?.some(({ version }) => version === to)) throw versionNotFound(model, to);
    const from = this.pointsAt(model, alias);
    if (from === to) return;
    if (from !== expected) throw aliasConflict(model, alias, expected, from);
    this.moves.push(structuredClone({ ...move, from }));
  }

  async getVersion(model: string, versionOrAlias: number | string): Promise<ModelVersion | null> {
    const number = typeof versionOrAlias === 'number' ? versionOrAlias : this.pointsAt(model, versionOrAlias);
    const found = this.versions.get(model)?.find(({ version }) => version === number);
    return structuredClone(found ?? null);
  }

  async listVersions(model: string): Promise<readonly ModelVersion[]> {
    return structuredClone(this.versions.get(model) ?? []).reverse();
  }

  async listModels(): Promise<readonly ModelSummary[]> {
    return [...this.versions.entries()]
      .map(([model, versions]) => ({ model, latestVersion: versions.length, aliases: this.aliasesOf(model) }))
      .sort((a, b) => (a.model < b.model ? -1 : 1));
  }

  async aliasHistory(model: string): Promise<readonly AliasMove[]> {
    return structuredClone(this.moves.filter((move) => move.model === model));
  }

  private pointsAt(model: string, alias: string): number | null {
    return this.moves.findLast((move) => move.model === model && move.alias === alias)?.to ?? null;
  }

  private aliasesOf(model: string): Record<string, number> {
    const moves = this.moves.filter((move) => move.model === model);
    return Object.fromEntries(moves.map(({ alias, to }) => [alias, to]));
  }
}
