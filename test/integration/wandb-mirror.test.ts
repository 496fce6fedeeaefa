import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { apiKey, mirror, runNamed, stepsOf, until } from '../fakes/wandb-mirroring.ts';
import { createTrackedScenario } from '../fakes/wandb-scenario.ts';
import type { TrackedScenario } from '../fakes/wandb-scenario.ts';
import { startWandbServer } from '../fakes/wandb-server.ts';
import type { WandbServer } from '../fakes/wandb-server.ts';

let server: WandbServer;
before(async () => {
  server = await startWandbServer({ apiKey });
});
after(() => server.close());
afterEach(() => {
  server.fault = () => null;
  assert.deepEqual(server.violations, []);
});

/** Steps of `updates` updates. */
function stepsTo(updates: number): number[] {
  return Array.from({ length: updates }, (_, index) => 64 * (index + 1));
}

/** 10 updates of seed 1 and 7 of seed 2, with 3 + 2 validations. */
const pointsStored = 22;

async function finishedScenario(runId: string): Promise<TrackedScenario> {
  const scenario = await createTrackedScenario(runId);
  await scenario.train(1, 1, 10);
  await scenario.train(2, 1, 7);
  await scenario.finish();
  return scenario;
}

/** All of a finished scenario is in W&B, once. */
function assertComplete(runId: string): void {
  assertRuns(runId);
  const models = server.artifacts.all.filter(({ producer }) => producer === runNamed(server, runId).name);
  assert.equal(models.filter(({ state }) => state === 'COMMITTED').length, 1);
}

/** The same, the model left aside. */
function assertRuns(runId: string): void {
  const pipeline = runNamed(server, runId);
  const seeds = [runNamed(server, `${runId} seed-1`), runNamed(server, `${runId} seed-2`)];
  assert.deepEqual(seeds.map(stepsOf), [stepsTo(10), stepsTo(7)]);
  for (const run of [pipeline, ...seeds]) assert.deepEqual([run.isComplete, run.exitCode], [true, 0]);
  assert.equal(pipeline.summary['heldOut/policy/podSeconds'], 0.2);
  assert.equal(seeds[0].summary['train/loss'], 0.1);
}

test('a finished run arrives whole: group, config, lines, summaries, model, ends', async () => {
  const scenario = await finishedScenario('whole');
  const result = await mirror(scenario, server.url);
  const pipeline = runNamed(server, 'whole');
  assert.deepEqual(result, {
    mode: 'online',
    sentPoints: pointsStored,
    unsentPoints: 0,
    url: `${server.url}/acme/proj/runs/${pipeline.name}`,
    warnings: [],
  });
  assertComplete('whole');
  const { groupName, jobType, config } = runNamed(server, 'whole seed-2').description;
  assert.deepEqual([groupName, jobType], ['boutique', 'train']);
  const stored = JSON.parse(config as string) as Record<string, { value: unknown }>;
  assert.deepEqual([stored.seed.value, stored.runId.value], [2, 'whole']);
  assert.deepEqual(stored._wandb.value, { t: { 12: 'coxswain' } });
});

test('the model has its files, its aliases and the run that made it', async () => {
  await mirror(await finishedScenario('model'), server.url);
  const model = server.artifacts.byAlias('boutique-policy', 'champion');
  assert.equal(model?.producer, runNamed(server, 'model').name);
  assert.deepEqual(model?.aliases, ['version-1', 'champion', 'latest']);
  assert.deepEqual([model.type, [...model.files.keys()]], ['model', ['policy.onnx', 'policy.json']]);
  assert.match(String(model.files.get('policy.onnx')?.bytes), /^policy of model\n/);
});

test('a mirror that is killed at any request, before or after W&B took it, leaves one copy of everything', async () => {
  const first = server.requests.length;
  await mirror(await finishedScenario('undisturbed'), server.url);
  const requests = server.requests.length - first;
  const expected = runNamed(server, 'undisturbed seed-1').history;
  assert.ok(requests >= 15, `${requests} requests`);
  for (let killedAt = 1; killedAt <= requests; killedAt++)
    for (const fault of ['drop', 'drop-answer'] as const) {
      const runId = `killed-at-${killedAt}-${fault}`;
      const scenario = await finishedScenario(runId);
      const kill = new AbortController();
      const start = server.requests.length;
      server.fault = ({ number }) => {
        if (number !== start + killedAt) return null;
        kill.abort(new Error('killed'));
        return { do: fault };
      };
      await assert.rejects(
        mirror(scenario, server.url, { signal: kill.signal, othersGoOn: () => true }),
        /killed/,
        runId,
      );
      server.fault = () => null;
      const { mode, sentPoints, unsentPoints, warnings } = await mirror(scenario, server.url);
      assert.deepEqual([mode, sentPoints, unsentPoints, warnings], ['online', pointsStored, 0, []], runId);
      assertComplete(runId);
      assert.deepEqual(runNamed(server, `${runId} seed-1`).history, expected, runId);
    }
});

test('answers that get lost or break off are asked for again, and nothing is doubled', async () => {
  for (const fault of ['drop', 'drop-answer', 'break-answer'] as const) {
    const scenario = await finishedScenario(`lossy-${fault}`);
    let isBad = false;
    server.fault = () => ((isBad = !isBad) ? { do: fault } : null);
    const { mode, unsentPoints } = await mirror(scenario, server.url);
    assert.deepEqual([mode, unsentPoints], ['online', 0]);
    assertComplete(`lossy-${fault}`);
  }
});

test('two mirrors of one run at the same time leave one copy of each line', async () => {
  const scenario = await finishedScenario('twice');
  server.fault = ({ number }) => ({ do: 'delay', ms: number % 3 });
  const results = await Promise.all([mirror(scenario, server.url), mirror(scenario, server.url)]);
  assert.deepEqual(
    results.map(({ mode, unsentPoints }) => [mode, unsentPoints]),
    [
      ['online', 0],
      ['online', 0],
    ],
  );
  assertRuns('twice');
});

test('a mirror beside a running run sends what comes, heartbeats, and ends with the run', async () => {
  const scenario = await createTrackedScenario('live');
  await scenario.train(1, 1, 4);
  const arrived = mirror(scenario, server.url, { limits: { heartbeatMs: 0 } });
  await until(() =>
    server.runs.all.some(({ name, history }) => name.startsWith('live-seed-1') && history.length === 3),
  );
  const seed = runNamed(server, 'live seed-1');
  await until(() => seed.heartbeats > 0);
  assert.equal(seed.isComplete, false);
  await scenario.train(2, 1, 7);
  await scenario.train(1, 5, 10);
  await scenario.finish();
  assert.equal((await arrived).sentPoints, pointsStored);
  assertComplete('live');
});

test('failed and cancelled runs end as such, without a model', async () => {
  for (const [status, exitCode] of [
    ['failed', 1],
    ['cancelled', 255],
  ] as const) {
    const scenario = await createTrackedScenario(status);
    await scenario.train(1, 1, 2);
    await scenario.finish(status);
    const { sentPoints } = await mirror(scenario, server.url);
    assert.equal(sentPoints, 2);
    const pipeline = runNamed(server, status);
    assert.deepEqual([pipeline.exitCode, pipeline.summary.status], [exitCode, status]);
    assert.equal(runNamed(server, `${status} seed-1`).exitCode, exitCode);
    assert.equal(
      server.artifacts.all.some(({ producer }) => producer === pipeline.name),
      false,
    );
  }
});

test('a run that somebody deletes in W&B is sent again from its first line', async () => {
  const scenario = await createTrackedScenario('deleted');
  await scenario.train(1, 1, 6);
  const arrived = mirror(scenario, server.url);
  await until(() =>
    server.runs.all.some(({ name, history }) => name.startsWith('deleted-seed-1') && history.length === 5),
  );
  server.runs.remove(runNamed(server, 'deleted seed-1'));
  await scenario.train(1, 7, 10);
  await scenario.train(2, 1, 7);
  await scenario.finish();
  const { mode, unsentPoints } = await arrived;
  assert.deepEqual([mode, unsentPoints], ['online', 0]);
  assertComplete('deleted');
});

test('another project is another place: it gets every line, whatever the first one has', async () => {
  const scenario = await finishedScenario('moved');
  await mirror(scenario, server.url);
  const elsewhere = { project: 'other', entity: null, tags: [] };
  await mirror(scenario, server.url, { target: elsewhere });
  const { sentPoints } = await mirror(scenario, server.url, { target: elsewhere });
  assert.equal(sentPoints, pointsStored);
});

test('Stop pressed in W&B is a warning and stops nothing', async () => {
  const scenario = await createTrackedScenario('stopped');
  await scenario.train(1, 1, 3);
  const warnings: string[] = [];
  const arrived = mirror(scenario, server.url, { onWarning: (warning) => warnings.push(warning) });
  await until(() => server.runs.all.some(({ name }) => name.startsWith('stopped-seed-1')));
  runNamed(server, 'stopped seed-1').stopRequested = true;
  await scenario.train(1, 4, 10);
  await until(() => warnings.length > 0);
  await scenario.train(2, 1, 7);
  await scenario.finish();
  assert.deepEqual((await arrived).warnings, warnings);
  assert.match(warnings[0], /pressed Stop.*coxswain cancel/);
  assertComplete('stopped');
});
