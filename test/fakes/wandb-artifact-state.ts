import { createHash, randomUUID } from 'node:crypto';

/** A file that somebody may upload. */
export interface WandbUpload {
  readonly name: string;
  /** Base64 MD5 that the bytes must have; null = any. */
  readonly md5: string | null;
  bytes: Buffer | null;
}

/** An artifact version as the stand-in knows it. */
export interface WandbArtifact {
  readonly id: string;
  readonly entity: string;
  readonly type: string;
  readonly collection: string;
  readonly digest: string;
  readonly producer: string | null;
  readonly metadata: string | null;
  readonly description: string | null;
  readonly files: Map<string, WandbUpload>;
  manifest: WandbUpload | null;
  state: 'PENDING' | 'COMMITTED';
  /** Empty until it is committed. */
  aliases: string[];
  readonly wantedAliases: readonly string[];
  readonly users: Set<string>;
}

/** Input of CreateArtifact, as far as the stand-in reads it. */
export interface CreateArtifactInput {
  readonly entityName: string;
  readonly artifactTypeName: string;
  readonly artifactCollectionName?: string;
  readonly artifactCollectionNames?: readonly string[];
  readonly digest: string;
  readonly runName?: string;
  readonly metadata?: string;
  readonly description?: string;
  readonly enableDigestDeduplication?: boolean;
  readonly aliases?: readonly { alias: string; artifactCollectionName: string }[];
}

/** The artifacts of the stand-in. A mistake of the client throws, as a GraphQL error would be. */
export class WandbArtifacts {
  readonly all: WandbArtifact[] = [];
  readonly uploads = new Map<string, WandbUpload>();

  create(input: CreateArtifactInput): WandbArtifact {
    const collection = input.artifactCollectionName ?? input.artifactCollectionNames?.[0];
    if (collection === undefined) throw new Error('an artifact without a collection');
    if (!/^[0-9a-f]{32}$/.test(input.digest)) throw new Error(`digest ${input.digest} is not a hexadecimal MD5`);
    const wantedAliases = (input.aliases ?? []).map(({ alias }) => alias);
    for (const alias of wantedAliases) if (/^v\d+$/.test(alias)) throw new Error(`alias ${alias} is W&B's own`);
    const present = this.all.find((other) => other.digest === input.digest && other.collection === collection);
    if (present?.state === 'COMMITTED' && input.enableDigestDeduplication === true) return present;
    const artifact: WandbArtifact = {
      id: Buffer.from(`Artifact:${this.all.length + 1}`).toString('base64'),
      entity: input.entityName,
      type: input.artifactTypeName,
      collection,
      digest: input.digest,
      producer: input.runName ?? null,
      metadata: input.metadata ?? null,
      description: input.description ?? null,
      files: new Map(),
      manifest: null,
      state: 'PENDING',
      aliases: [],
      wantedAliases,
      users: new Set(),
    };
    this.all.push(artifact);
    return artifact;
  }

  get(id: string): WandbArtifact {
    const artifact = this.all.find((other) => other.id === id);
    if (artifact === undefined) throw new Error(`no artifact ${id}`);
    return artifact;
  }

  /** @returns the token of the address to upload to. */
  expect(upload: WandbUpload): string {
    const token = randomUUID();
    this.uploads.set(token, upload);
    return token;
  }

  /** Makes version and aliases visible, after recomputing every digest. */
  commit(id: string): WandbArtifact {
    const artifact = this.get(id);
    const manifest = JSON.parse(artifact.manifest?.bytes?.toString('utf8') ?? 'null') as Manifest | null;
    if (manifest === null) throw new Error('committed without a manifest');
    if (manifest.version !== 1 || manifest.storagePolicy !== 'wandb-storage-policy-v1')
      throw new Error('a foreign manifest');
    const entries = Object.entries(manifest.contents).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [path, entry] of entries) this.checkEntry(artifact, path, entry);
    const text = `wandb-artifact-manifest-v1\n${entries.map(([path, { digest }]) => `${path}:${digest}\n`).join('')}`;
    const digest = createHash('md5').update(text).digest('hex');
    if (digest !== artifact.digest)
      throw new Error(`the manifest's digest is ${digest}, announced was ${artifact.digest}`);
    for (const other of this.all.filter(({ collection }) => collection === artifact.collection))
      other.aliases = other.aliases.filter((alias) => !artifact.wantedAliases.includes(alias));
    artifact.aliases = [...artifact.wantedAliases];
    artifact.state = 'COMMITTED';
    return artifact;
  }

  private checkEntry(artifact: WandbArtifact, path: string, { digest, size, birthArtifactID }: ManifestEntry): void {
    const bytes = artifact.files.get(path)?.bytes;
    if (bytes === null || bytes === undefined) throw new Error(`${path} is in the manifest and was not uploaded`);
    if (md5Of(bytes) !== digest) throw new Error(`${path}: the manifest's digest is not that of the bytes`);
    if (bytes.length !== size) throw new Error(`${path}: the manifest's size is not that of the bytes`);
    if (birthArtifactID !== undefined) this.get(birthArtifactID);
  }

  byAlias(collection: string, alias: string): WandbArtifact | null {
    const committed = this.all.filter((other) => other.collection === collection && other.state === 'COMMITTED');
    const version = /^v(\d+)$/.exec(alias)?.[1];
    if (version !== undefined) return committed[Number(version)] ?? null;
    return committed.find(({ aliases }) => aliases.includes(alias)) ?? null;
  }
}

interface Manifest {
  readonly version: number;
  readonly storagePolicy: string;
  readonly contents: Readonly<Record<string, ManifestEntry>>;
}

interface ManifestEntry {
  readonly digest: string;
  readonly size: number;
  readonly birthArtifactID?: string;
}

/** Base64 MD5. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}
