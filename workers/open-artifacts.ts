import type { Config } from '../config/index.ts';
import type { ArtifactStore } from '../src/contracts/stores.ts';
import { createFolderArtifactStore } from '../src/store/artifacts/folder-artifact-store.ts';
import { createS3ArtifactStore } from '../src/store/artifacts/s3-artifact-store.ts';

/** The artifact store of the configuration: a local folder, or a bucket. */
export async function openArtifacts({ artifacts }: Config): Promise<ArtifactStore> {
  if (artifacts.kind === 'folder') return createFolderArtifactStore(artifacts.path);
  const { secretAccessKey, sessionToken, accessKeyId, ...place } = artifacts;
  const credentials = {
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken === null ? {} : { sessionToken: sessionToken.reveal() }),
  };
  return createS3ArtifactStore({ ...place, credentials });
}
