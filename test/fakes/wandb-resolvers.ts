import type { WandbArtifact, WandbArtifacts, CreateArtifactInput, WandbUpload } from './wandb-artifact-state.ts';
import type { WandbRun, WandbRuns } from './wandb-run-state.ts';

/** What the answers are made of. */
export interface WandbState {
  readonly entity: string;
  readonly runs: WandbRuns;
  readonly artifacts: WandbArtifacts;
  /** Base address, for signed URLs. */
  readonly url: () => string;
}

/** Answers to the operations that our client and W&B's own client send; other fields are null. */
export function wandbResolvers(state: WandbState): Record<string, unknown> {
  return { ...queries(state), ...mutations(state) };
}

function queries(state: WandbState): Record<string, unknown> {
  const { entity } = state;
  const project = ({ name, entityName }: { name?: string; entityName?: string }): unknown =>
    projectNode(state, entityName ?? entity, name ?? 'uncategorized');
  return {
    viewer: {
      id: 'VXNlcjp2MTox',
      entity,
      username: 'tester',
      email: 'tester@example.com',
      flags: '{}',
      teams: { edges: [{ node: { name: entity } }] },
    },
    serverInfo: { features: [], cliVersionInfo: { max_cli_version: '1.0.0' } },
    entity: ({ name }: { name: string }) => ({ id: 'RW50', name, organization: null, xxhashDigestsEnabled: false }),
    model: project,
    project,
    artifact: ({ id }: { id: string }) => artifactNode(state, state.artifacts.get(id)),
  };
}

/** Base64 of `ProjectInternalId:1`. */
const internalId = 'UHJvamVjdEludGVybmFsSWQ6MQ==';

function projectNode(state: WandbState, entityName: string, name: string): unknown {
  const { runs, artifacts } = state;
  const member = (path: string): WandbArtifact | null => {
    const [collection, alias = 'latest'] = path.split(':');
    return artifacts.byAlias(collection, alias);
  };
  return {
    id: `P${name}`,
    internalId,
    name,
    entityName,
    entity: { id: 'RW50', name: entityName },
    bucket: (args: { name: string }) => runNode(runs.find(entityName, name, args.name)),
    run: (args: { name: string }) => runNode(runs.find(entityName, name, args.name)),
    artifactType: (args: { name: string }) => ({ id: 'QVQ=', name: args.name, artifactCollection: null }),
    artifact: (args: { name: string }) => artifactNode(state, member(args.name)),
    artifactCollection: (args: { name: string }) => ({
      __typename: 'ArtifactSequence',
      id: 'QUM=',
      name: args.name,
      artifactMembership: ({ aliasName }: { aliasName: string }) =>
        membershipNode(state, artifacts.byAlias(args.name, aliasName)),
    }),
    artifactCollectionMembership: (args: { name: string }) => membershipNode(state, member(args.name)),
  };
}

function membershipNode(state: WandbState, artifact: WandbArtifact | null): unknown {
  if (artifact === null) return null;
  const version = versionOf(state, artifact);
  return {
    id: `M${artifact.id}`,
    createdAt: '2026-01-01T00:00:00Z',
    versionIndex: version,
    artifact: artifactNode(state, artifact),
    aliases: artifact.aliases.map((alias) => ({ id: alias, alias })),
    artifactCollection: {
      __typename: 'ArtifactSequence',
      id: 'QUM=',
      name: artifact.collection,
      project: projectNode(state, state.entity, 'proj'),
    },
    files: fileConnection(state, [...artifact.files.values()]),
  };
}

function versionOf({ artifacts }: WandbState, { id, collection }: WandbArtifact): number {
  return artifacts.all
    .filter((other) => other.collection === collection && other.state === 'COMMITTED')
    .findIndex((other) => other.id === id);
}

function runNode(run: WandbRun | null): unknown {
  if (run === null) return null;
  const { project, entity } = run;
  return {
    __typename: 'Run',
    ...run.description,
    id: run.id,
    name: run.name,
    historyLineCount: run.history.length,
    eventsLineCount: run.events.length,
    logLineCount: run.output.length,
    historyTail: JSON.stringify(run.history.slice(-1)),
    eventsTail: JSON.stringify(run.events.slice(-1)),
    summaryMetrics: JSON.stringify(run.summary),
    wandbConfig: '{"t":{}}',
    projectId: 1,
    state: run.isComplete ? (run.exitCode === 0 ? 'finished' : 'failed') : 'running',
    group: run.description.groupName,
    createdAt: '2026-01-01T00:00:00Z',
    readOnly: false,
    user: { id: 'VXNlcjp2MTox', name: 'Tester', username: 'tester' },
    history: () => run.history,
    sampledHistory: () => [run.history.map((line) => JSON.parse(line) as unknown)],
    historyKeys: { keys: {}, lastStep: run.history.length },
    project: { id: `P${project}`, internalId, name: project, entityName: entity, entity: { id: 'RW50', name: entity } },
  };
}

function artifactNode(state: WandbState, artifact: WandbArtifact | null): unknown {
  if (artifact === null) return null;
  const { runs, artifacts } = state;
  const node = {
    id: artifact.id,
    state: artifact.state,
    digest: artifact.digest,
    metadata: artifact.metadata,
    description: artifact.description,
    size: [...artifact.files.values()].reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0),
    fileCount: artifact.files.size,
    versionIndex: versionOf(state, artifact),
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: null,
    commitHash: artifact.digest.slice(0, 20),
    labels: '{}',
    ttlDurationSeconds: -1,
    ttlIsInherited: true,
    tags: [],
    historyStep: null,
    artifactType: { id: 'QVQ=', name: artifact.type },
    aliases: artifact.aliases.map((alias) => ({ id: alias, alias, artifactCollectionName: artifact.collection })),
    artifactCollections: { edges: [] },
    createdBy: () => runNode(runs.all.find(({ name }) => name === artifact.producer) ?? null),
    files: fileConnection(state, [...artifact.files.values()]),
    currentManifest: () => ({ id: `MF${artifact.id}`, file: fileNode(state, artifact.manifest) }),
  };
  const latest = artifacts.byAlias(artifact.collection, 'latest');
  const collection = {
    __typename: 'ArtifactSequence',
    id: 'QUM=',
    name: artifact.collection,
    project: projectNode(state, state.entity, 'proj'),
    latestArtifact: latest === null ? null : { id: latest.id, versionIndex: versionOf(state, latest) },
  };
  return { ...node, artifactSequence: collection };
}

function fileConnection(state: WandbState, files: readonly WandbUpload[]): unknown {
  const edges = files.map((file) => ({ cursor: file.name, node: fileNode(state, file) }));
  return { totalCount: files.length, edges, pageInfo: { hasNextPage: false, endCursor: null } };
}

function fileNode(state: WandbState, file: WandbUpload | null): unknown {
  if (file === null) return null;
  const directUrl = `${state.url()}/storage/${state.artifacts.expect(file)}`;
  const { name, md5, bytes } = file;
  return {
    id: name,
    name,
    displayName: name,
    directUrl,
    url: directUrl,
    md5,
    sizeBytes: bytes?.length ?? 0,
    uploadHeaders: [],
  };
}

interface ManifestInput {
  readonly artifactID: string;
  readonly name: string;
  readonly digest: string;
  readonly runName: string;
}

function mutations(state: WandbState): Record<string, unknown> {
  const { runs, artifacts } = state;
  const uploadTarget = (upload: WandbUpload): Record<string, unknown> => ({
    uploadUrl: `${state.url()}/storage/${artifacts.expect(upload)}`,
    uploadHeaders: upload.md5 === null ? [] : [`Content-MD5:${upload.md5}`],
  });
  return {
    upsertBucket({ input }: { input: UpsertInput }) {
      const { name, modelName, entityName, ...description } = input;
      const given = Object.fromEntries(Object.entries(description).filter(([, value]) => value !== null));
      const project = modelName ?? 'uncategorized';
      const { run, inserted } = runs.upsert(entityName ?? state.entity, project, name, given);
      return { bucket: runNode(run), inserted };
    },
    createRunFiles: ({ input }: { input: { runName: string; files: string[] } }) => ({
      runID: input.runName,
      uploadHeaders: [],
      files: input.files.map((name) => ({ name, uploadUrl: uploadTarget({ name, md5: null, bytes: null }).uploadUrl })),
    }),
    markRunFilesUploaded: () => ({ success: true }),
    createArtifact: ({ input }: { input: CreateArtifactInput }) => ({
      artifact: artifactNode(state, artifacts.create(input)),
    }),
    createArtifactManifest({ input }: { input: ManifestInput }) {
      const artifact = artifacts.get(input.artifactID);
      const upload = { name: input.name, md5: input.digest === '' ? null : input.digest, bytes: null };
      if (input.digest !== '') artifact.manifest = upload;
      return {
        artifactManifest: {
          id: `MF${artifact.id}`,
          file: { ...(fileNode(state, upload) as object), ...uploadTarget(upload) },
        },
      };
    },
    createArtifactFiles({ input }: { input: { artifactFiles: { artifactID: string; name: string; md5: string }[] } }) {
      const edges = input.artifactFiles.map(({ artifactID, name, md5 }) => {
        const artifact = artifacts.get(artifactID);
        const upload: WandbUpload = { name, md5, bytes: null };
        artifact.files.set(name, upload);
        const storagePath = `wandb_artifacts/${artifactID}/${name}`;
        const node = {
          ...(fileNode(state, upload) as object),
          storagePath,
          ...uploadTarget(upload),
          artifact: { id: artifactID },
        };
        return { cursor: name, node };
      });
      return { files: { edges } };
    },
    commitArtifact: ({ input }: { input: { artifactID: string } }) => ({
      artifact: artifactNode(state, artifacts.commit(input.artifactID)),
    }),
    useArtifact({ input }: { input: { artifactID: string; runName: string } }) {
      const artifact = artifacts.get(input.artifactID);
      artifact.users.add(input.runName);
      return { artifact: artifactNode(state, artifact) };
    },
  };
}

interface UpsertInput extends Record<string, unknown> {
  readonly name: string;
  readonly modelName?: string;
  readonly entityName?: string | null;
}
