import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { CoxswainError } from '../../src/contracts/errors.ts';
import type { TrackingResult } from '../../src/contracts/runs.ts';
import { createNullTracker } from '../../src/tracking/null-tracker.ts';
import { itemsAt, messageAt, readWandbFile } from '../fakes/wandb-file.ts';
import { apiKey, impatient, mirror, runNamed, stepsOf, until } from '../fakes/wandb-mirroring.ts';
import { createTrackedScenario } from '../fakes/wandb-scenario.ts';
import type { TrackedScenario } from '../fakes/wandb-scenario.ts';
import { startWandbServer } from '../fakes/wandb-server.ts';
import type { WandbFault, WandbServer } from '../fakes/wandb-server.ts';

let server: WandbServer;
let folder = '';
let offlineFolder = '';
before(async () => {
  server = await startWandbServer({ apiKey });
  folder = await mkdtemp(join(tmpdir(), 'coxswain-outage-'));
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(({ name }) => {
  offlineFolder = join(folder, name.replace(/\W+/g, '-'));
});
afterEach(() => {
  server.fault = () => null;
  assert.deepEqual(server.violations, []);
});

/** 10 updates of one seed and 3 validations. */
const pointsStored = 13;
const stepsStored = Array.from({ length: 10 }, (_, index) => 64 * (index + 1));

async function finishedScenario(runId: string): Promise<TrackedScenario> {
  const scenario = await createTrackedScenario(runId);
  await scenario.train(1, 1, 10);
  await scenario.finish();
  return scenario;
}

/** Steps of the lines in the offline file of the run's seed 1. */
async function offlineSteps(runId: string): Promise<unknown[]> {
  const name = (await readdir(offlineFolder)).find((entry) => entry.includes(`${runId}-seed-1`));
  assert.ok(name, 'no offline folder of seed-1');
  const file = `run-${name.split(/^offline-run-\d+_\d+-/)[1]}.wandb`;
  const records = readWandbFile(join(offlineFolder, name, file)).filter((message) => message.has(2));
  return records.map((message) => itemsAt(messageAt(message, 2), 1)._step);
}

/** Everything that a failed mirror leaves or says: result, warnings, ledgers and files. */
async function traces({ store }: TrackedScenario, result: TrackingResult): Promise<string> {
  const ids = (await readdir(offlineFolder)).map((name) => name.split(/^offline-run-\d+_\d+-/)[1]);
  const ledgers = await Promise.all(ids.map((id) => store.trackingLedgers.readLedger(`wandb/${id}`)));
  const files = (await readdir(offlineFolder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const bytes = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')));
  assert.ok(ledgers.every((ledger) => ledger !== null) && bytes.length >= 4);
  return JSON.stringify([result, ledgers, bytes]);
}

const failures: Record<string, { fault: WandbFault; warning: RegExp }> = {
  hangs: { fault: { do: 'hang' }, warning: /no answer within 0\.1 s/ },
  'drops every connection': { fault: { do: 'drop' }, warning: /W&B did not take UpsertBucket/ },
  'answers 500': { fault: { do: 'refuse', status: 500, body: `internal error ${apiKey}` }, warning: /with 500/ },
  'answers 429': { fault: { do: 'refuse', status: 429, headers: { 'retry-after': '0' } }, warning: /with 429/ },
  'does not know the key': { fault: { do: 'refuse', status: 401, body: `bad key ${apiKey}` }, warning: /with 401/ },
  'answers with GraphQL errors': {
    fault: { do: 'graphql-error', message: `no permission for ${apiKey}` },
    warning: /refused UpsertBucket: no permission/,
  },
};

for (const [what, { fault, warning }] of Object.entries(failures))
  test(`when W&B ${what} the mirror ends, counts, warns, leaves files and keeps the key to itself`, async () => {
    const scenario = await finishedScenario(`run-${what}`);
    server.fault = () => fault;
    const logged: string[] = [];
    const onWarning = (text: string): unknown => logged.push(text);
    const result = await mirror(scenario, server.url, { ...impatient, offlineFolder, onWarning });
    const { mode, sentPoints, unsentPoints, url, warnings } = result;
    assert.deepEqual([mode, sentPoints, unsentPoints, url], ['offline', 0, pointsStored, null]);
    assert.match(warnings.join('\n'), warning);
    assert.match(warnings.join('\n'), /13 metric points did not reach W&B/);
    assert.deepEqual(logged, warnings);
    assert.deepEqual(await offlineSteps(scenario.runId.replaceAll(' ', '-')), stepsStored);
    const left = (await traces(scenario, result)) + logged.join('\n');
    for (const secret of [apiKey, Buffer.from(`api:${apiKey}`).toString('base64')])
      assert.equal(left.includes(secret), false);
  });

test('when nothing listens at the address the mirror ends all the same', async () => {
  const gone = await startWandbServer({ apiKey });
  await gone.close();
  const { mode, unsentPoints, warnings } = await mirror(await finishedScenario('gone'), gone.url, {
    ...impatient,
    offlineFolder,
  });
  assert.deepEqual([mode, unsentPoints], ['offline', pointsStored]);
  assert.match(warnings[0], /ECONNREFUSED/);
});

test('credentials that are refused are not sent again and again', async () => {
  const scenario = await createTrackedScenario('one-try');
  await scenario.train(1, 1, 10);
  const before = server.requests.length;
  server.fault = () => ({ do: 'refuse', status: 401 });
  const arrived = mirror(scenario, server.url, { offlineFolder });
  await new Promise((resolve) => setTimeout(resolve, 150));
  await scenario.finish();
  assert.equal((await arrived).mode, 'offline');
  assert.ok(server.requests.length - before <= 2, `${server.requests.length - before} requests`);
});

test('an outage in the middle of a run costs nothing', async () => {
  const scenario = await createTrackedScenario('back-again');
  await scenario.train(1, 1, 5);
  const warnings: string[] = [];
  const arrived = mirror(scenario, server.url, {
    wandbLimits: impatient.wandbLimits,
    offlineFolder,
    onWarning: (warning) => warnings.push(warning),
  });
  await until(() =>
    server.runs.all.some(({ name, history }) => name.startsWith('back-again-seed') && history.length === 4),
  );
  server.fault = ({ number }) => (['hang', 'drop', 'drop-answer'] as const).map((fault) => ({ do: fault }))[number % 3];
  await scenario.train(1, 6, 10);
  await until(() => warnings.length > 0);
  server.fault = () => null;
  await until(() => stepsOf(runNamed(server, 'back-again seed-1')).length === 9);
  await scenario.finish();
  const { mode, sentPoints, unsentPoints } = await arrived;
  assert.deepEqual([mode, sentPoints, unsentPoints], ['online', pointsStored, 0]);
  assert.deepEqual(stepsOf(runNamed(server, 'back-again seed-1')), stepsStored);
});

test('when W&B goes away for good the file holds exactly what it has not got, and nobody sends that again', async () => {
  const scenario = await createTrackedScenario('half');
  await scenario.train(1, 1, 6);
  const arrived = mirror(scenario, server.url, {
    ...impatient,
    limits: { ...impatient.limits, endMs: 20_000 },
    offlineFolder,
  });
  await until(() => server.runs.all.some(({ name, history }) => name.startsWith('half-seed') && history.length === 5));
  server.fault = () => ({ do: 'drop' });
  await scenario.train(1, 7, 10);
  await scenario.finish();
  const first = await arrived;
  assert.deepEqual([first.mode, first.sentPoints + first.unsentPoints], ['offline', pointsStored]);
  const sent = stepsOf(runNamed(server, 'half seed-1'));
  assert.deepEqual([...sent, ...(await offlineSteps('half'))], stepsStored);

  server.fault = () => null;
  const again = await mirror(scenario, server.url, { offlineFolder });
  assert.deepEqual(
    [again.mode, again.sentPoints, again.unsentPoints],
    ['offline', first.sentPoints, first.unsentPoints],
  );
  assert.deepEqual(stepsOf(runNamed(server, 'half seed-1')), sent);
});

test('a mirror that is killed before its file was written writes it the next time', async () => {
  const scenario = await finishedScenario('unwritten');
  server.fault = () => ({ do: 'drop' });
  const blocker = join(folder, 'blocker');
  await writeFile(blocker, 'a file where a folder should be');
  const { mode, unsentPoints, warnings } = await mirror(scenario, server.url, {
    ...impatient,
    offlineFolder: join(blocker, 'x'),
  });
  assert.deepEqual([mode, unsentPoints], ['offline', pointsStored]);
  assert.match(warnings.join('\n'), /No offline file for seed-1 could be written: .*ENOTDIR/);
  server.fault = () => null;
  await mirror(scenario, server.url, { offlineFolder });
  assert.deepEqual(await offlineSteps('unwritten'), stepsStored);
  assert.equal(
    server.runs.all.some(({ name }) => name.startsWith('unwritten')),
    false,
  );
});

test('without a folder what was not sent is counted, and a later mirror sends it', async () => {
  const scenario = await finishedScenario('no-folder');
  server.fault = () => ({ do: 'drop' });
  const { mode, unsentPoints } = await mirror(scenario, server.url, impatient);
  assert.deepEqual([mode, unsentPoints], ['online', pointsStored]);
  server.fault = () => null;
  assert.equal((await mirror(scenario, server.url)).sentPoints, pointsStored);
  assert.deepEqual(stepsOf(runNamed(server, 'no-folder seed-1')), stepsStored);
});

test('a slow W&B gets everything', async () => {
  server.fault = () => ({ do: 'delay', ms: 30 });
  const { mode, unsentPoints } = await mirror(await finishedScenario('slow'), server.url, { offlineFolder });
  assert.deepEqual([mode, unsentPoints], ['online', 0]);
  assert.deepEqual(stepsOf(runNamed(server, 'slow seed-1')), stepsStored);
});

test('a mirror that is told to stop leaves the rest offline', async () => {
  const scenario = await finishedScenario('told-to-stop');
  const controller = new AbortController();
  server.fault = ({ kind }) => {
    if (kind !== 'stream') return null;
    controller.abort();
    return { do: 'hang' };
  };
  const { mode, unsentPoints, warnings } = await mirror(scenario, server.url, {
    offlineFolder,
    signal: controller.signal,
  });
  assert.deepEqual([mode, unsentPoints], ['offline', pointsStored]);
  assert.match(warnings[0], /time for sending to W&B was up/);
  assert.deepEqual(await offlineSteps('told-to-stop'), stepsStored);
});

test('a mirror that is told to stop before the run is over leaves the run to others', async () => {
  const scenario = await createTrackedScenario('not-over');
  await scenario.train(1, 1, 10);
  const controller = new AbortController();
  server.fault = () => (controller.abort(), { do: 'hang' });
  const stopped = await mirror(scenario, server.url, { offlineFolder, signal: controller.signal });
  assert.deepEqual([stopped.mode, stopped.unsentPoints], ['online', pointsStored]);
  server.fault = () => null;
  await scenario.finish();
  assert.equal((await mirror(scenario, server.url, { offlineFolder })).unsentPoints, 0);
  assert.deepEqual(stepsOf(runNamed(server, 'not-over seed-1')), stepsStored);
});

test('a tracker without an outside leaves everything offline', async () => {
  const scenario = await finishedScenario('null');
  const tracker = createNullTracker('W&B is switched to offline.');
  const { mode, unsentPoints, warnings } = await mirror(scenario, server.url, { offlineFolder, tracker });
  assert.deepEqual([mode, unsentPoints, warnings[0]], ['offline', pointsStored, 'W&B is switched to offline.']);
  assert.deepEqual(await offlineSteps('null'), stepsStored);
});

test('a store that is away for a while delays the mirror and does not end it', async () => {
  const scenario = await finishedScenario('store-away');
  const { metrics, trackingLedgers } = scenario.store;
  let calls = 0;
  const awayForAWhile = <Args extends unknown[], T>(work: (...args: Args) => Promise<T>) => {
    return (...args: Args): Promise<T> =>
      ++calls > 4 && calls < 12 ? Promise.reject(new CoxswainError('STORE_UNAVAILABLE', 'away')) : work(...args);
  };
  metrics.readPoints = awayForAWhile(metrics.readPoints.bind(metrics));
  trackingLedgers.writeLedger = awayForAWhile(trackingLedgers.writeLedger.bind(trackingLedgers));
  const { mode, unsentPoints } = await mirror(scenario, server.url, { offlineFolder });
  assert.ok(calls > 12, `${calls} calls`);
  assert.deepEqual([mode, unsentPoints], ['online', 0]);
  assert.deepEqual(stepsOf(runNamed(server, 'store-away seed-1')), stepsStored);
});

test('a run that the store does not know is an error', async () => {
  const scenario = await createTrackedScenario('known');
  await assert.rejects(mirror({ ...scenario, runId: 'unknown' }, server.url), { code: 'RUN_NOT_FOUND' });
});
