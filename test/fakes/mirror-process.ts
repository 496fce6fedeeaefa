/** A process that mirrors one run: `mirror-process.ts MONGO_URL DATABASE ARTIFACTS RUN_ID WANDB_URL`; prints the result. */
import { createFolderArtifactStore } from '../../src/store/artifacts/folder-artifact-store.ts';
import { createMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { mirror } from './wandb-mirroring.ts';

const [url, database, folder, runId, wandbUrl] = process.argv.slice(2);
const store = createMongoStore({ url, database });
const result = await mirror({ runId, store, artifacts: await createFolderArtifactStore(folder) }, wandbUrl);
await store.close();
process.stdout.write(JSON.stringify(result));
