import { TrackerFailure } from './tracker.ts';
import type { ModelFile, ModelUpload, StartedRun } from './tracker.ts';
import { aliasesOf, artifactDigest, clientId, fileDigest, manifestJson } from './wandb-manifest.ts';
import { wandbQueries } from './wandb-queries.ts';
import type { WandbTransport } from './wandb-transport.ts';

/** A signed address; null url = W&B has the bytes. */
interface UploadTarget {
  readonly uploadUrl: string | null;
  readonly uploadHeaders: readonly string[];
}

/**
 * Saves a model as a W&B artifact of type `model` that `run` produced.
 *
 * Version and aliases appear with the last request, the commit, so a broken upload leaves nothing that anybody sees. Equal
 * content that is there already ends after the first request.
 */
export async function saveArtifact(
  transport: WandbTransport,
  run: StartedRun,
  model: ModelUpload,
  signal: AbortSignal,
): Promise<void> {
  const { id: artifactId, state } = await createArtifact(transport, run, model, signal);
  if (state === 'COMMITTED') return;
  const manifestId = (await createManifest(transport, run, artifactId, null, signal)).id;
  await uploadFiles(transport, { artifactId, manifestId }, model.files, signal);
  const manifest = Buffer.from(manifestJson(artifactId, model.files));
  const { file } = await createManifest(transport, run, artifactId, fileDigest(manifest), signal);
  await put(transport, 'the manifest', file, manifest, signal);
  const variables = { artifactID: artifactId };
  await transport.graphql({ operationName: 'CommitArtifact', query: wandbQueries.commitArtifact, variables }, signal);
}

async function createArtifact(
  transport: WandbTransport,
  run: StartedRun,
  model: ModelUpload,
  signal: AbortSignal,
): Promise<{ id: string; state: string }> {
  const digest = artifactDigest(model.files);
  const input = {
    entityName: run.entity,
    projectName: run.project,
    runName: run.id,
    artifactTypeName: 'model',
    artifactCollectionName: model.name,
    digest,
    digestAlgorithm: 'MANIFEST_MD5',
    enableDigestDeduplication: true,
    aliases: aliasesOf(model).map((alias) => ({ alias, artifactCollectionName: model.name })),
    metadata: JSON.stringify(model.metadata),
    description: model.description,
    clientID: clientId(run.id, digest),
    sequenceClientID: clientId(run.entity, run.project, model.name),
  };
  const call = { operationName: 'CreateArtifact', query: wandbQueries.createArtifact, variables: { input } };
  const data = (await transport.graphql(call, signal)) as Partial<CreateArtifactData>;
  const artifact = data.createArtifact?.artifact;
  if (typeof artifact?.id !== 'string') throw incomplete('CreateArtifact');
  return artifact;
}

interface CreateArtifactData {
  createArtifact: { artifact: { id: string; state: string } };
}

/** @param digest null = announce it, before the files; else ask for the address to upload it to. */
async function createManifest(
  transport: WandbTransport,
  run: StartedRun,
  artifactId: string,
  digest: string | null,
  signal: AbortSignal,
): Promise<{ id: string; file: UploadTarget }> {
  const variables = {
    artifactID: artifactId,
    name: 'wandb_manifest.json',
    digest: digest ?? '',
    entityName: run.entity,
    projectName: run.project,
    runName: run.id,
    includeUpload: digest !== null,
  };
  const call = { operationName: 'CreateArtifactManifest', query: wandbQueries.createArtifactManifest, variables };
  const data = (await transport.graphql(call, signal)) as Partial<CreateManifestData>;
  const manifest = data.createArtifactManifest?.artifactManifest;
  if (typeof manifest?.id !== 'string') throw incomplete('CreateArtifactManifest');
  return manifest;
}

interface CreateManifestData {
  createArtifactManifest: { artifactManifest: { id: string; file: UploadTarget } };
}

async function uploadFiles(
  transport: WandbTransport,
  { artifactId, manifestId }: { artifactId: string; manifestId: string },
  files: readonly ModelFile[],
  signal: AbortSignal,
): Promise<void> {
  const artifactFiles = files.map(({ name, bytes }) => ({
    artifactID: artifactId,
    name,
    md5: fileDigest(bytes),
    artifactManifestID: manifestId,
  }));
  const variables = { input: { artifactFiles, storageLayout: 'V2' } };
  const call = { operationName: 'CreateArtifactFiles', query: wandbQueries.createArtifactFiles, variables };
  const data = (await transport.graphql(call, signal)) as Partial<CreateFilesData>;
  const edges = data.createArtifactFiles?.files.edges ?? [];
  if (edges.length !== files.length) throw incomplete('CreateArtifactFiles');
  for (const [index, { name, bytes }] of files.entries()) await put(transport, name, edges[index].node, bytes, signal);
}

interface CreateFilesData {
  createArtifactFiles: { files: { edges: readonly { node: UploadTarget }[] } };
}

async function put(
  transport: WandbTransport,
  name: string,
  target: UploadTarget,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (target.uploadUrl === null) return;
  await transport.upload({ name, url: target.uploadUrl, headers: target.uploadHeaders ?? [], bytes }, signal);
}

function incomplete(operation: string): TrackerFailure {
  return new TrackerFailure('refused', `W&B answered ${operation} without what it was asked for`);
}
