import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { text } from 'node:stream/consumers';
import { testServices, uniqueName } from '../../scripts/local-services/test-services.ts';
import { createFolderArtifactStore } from '../../src/store/artifacts/folder-artifact-store.ts';
import { createMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { apiKey, runNamed, stepsOf } from '../fakes/wandb-mirroring.ts';
import { createTrackedScenario } from '../fakes/wandb-scenario.ts';
import { startWandbServer } from '../fakes/wandb-server.ts';

const program = join(import.meta.dirname, '../fakes/mirror-process.ts');

/** Kills each of so many mirror processes at its n-th request, after W&B took it. */
const killedAtRequest = [1, 4, 5, 6, 7, 9];

test('mirror processes that are killed with SIGKILL one after the other leave one copy of each line', async (context) => {
  const services = await testServices();
  const server = await startWandbServer({ apiKey });
  const folder = await mkdtemp(join(tmpdir(), 'coxswain-kill-'));
  const database = uniqueName('tracking');
  const store = createMongoStore({ url: services.mongoUrl, database });
  context.after(async () => {
    await store.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
    await services.stop();
  });
  await store.migrate();
  const artifacts = await createFolderArtifactStore(folder);
  const scenario = await createTrackedScenario('killed', { store, artifacts });
  await scenario.train(1, 1, 20);
  await scenario.finish();

  const startMirror = (): ChildProcess =>
    fork(program, [services.mongoUrl, database, folder, 'killed', server.url], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
  for (const requests of killedAtRequest) {
    const child = startMirror();
    const last = server.requests.length + requests;
    server.fault = ({ number }) => (number >= last ? (child.kill('SIGKILL'), { do: 'drop-answer' }) : null);
    const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    assert.equal(signal, 'SIGKILL');
  }
  server.fault = () => null;
  const child = startMirror();
  const result = JSON.parse(await text(child.stdout!)) as Record<string, unknown>;

  assert.deepEqual([result.mode, result.sentPoints, result.unsentPoints], ['online', 26, 0]);
  assert.deepEqual(server.violations, []);
  const seed = runNamed(server, 'killed seed-1');
  assert.deepEqual(
    stepsOf(seed),
    Array.from({ length: 20 }, (_, index) => 64 * (index + 1)),
  );
  assert.deepEqual([seed.isComplete, runNamed(server, 'killed').isComplete], [true, true]);
  assert.equal(server.artifacts.byAlias('boutique-policy', 'champion')?.producer, runNamed(server, 'killed').name);
});
