import assert from 'node:assert/strict';
import { refusedWith } from './refused-with.ts';
import { moment, newVersion } from './store-fixtures.ts';
import type { It } from './store-suite.ts';

/** What every ModelRegistry must do. */
export function registryTests(it: It): void {
  it('versions count from 1, one a run, newest first', async ({ models }) => {
    const first = await models.registerVersion(newVersion('m', 'r1'));
    const again = await models.registerVersion({ ...newVersion('m', 'r1'), at: moment(99) });
    const second = await models.registerVersion(newVersion('m', 'r2'));
    const other = await models.registerVersion(newVersion('n', 'r1'));
    assert.deepEqual([first.version, again.version, second.version, other.version], [1, 1, 2, 1]);
    assert.deepEqual(again, first);
    const { at, ...given } = newVersion('m', 'r1');
    assert.deepEqual(first, { ...given, version: 1, createdAt: at });
    assert.deepEqual(
      (await models.listVersions('m')).map(({ version }) => version),
      [2, 1],
    );
    assert.deepEqual(await models.getVersion('m', 1), first);
    assert.equal(await models.getVersion('m', 3), null);
    assert.equal(await models.getVersion('m', 'champion'), null);
  });

  it('callers that race get distinct versions without a gap, one a run', async ({ models }) => {
    const runs = ['r1', 'r2', 'r3', 'r4', 'r1', 'r2', 'r3', 'r4'];
    const versions = await Promise.all(runs.map((run) => models.registerVersion(newVersion('m', run))));
    assert.deepEqual([...new Set(versions.map(({ version }) => version))].sort(), [1, 2, 3, 4]);
    assert.deepEqual(
      versions.slice(0, 4).map(({ version }) => version),
      versions.slice(4).map(({ version }) => version),
    );
  });

  it('an alias moves by compare-and-set and its history only grows', async ({ models }) => {
    for (const run of ['r1', 'r2', 'r3']) await models.registerVersion(newVersion('m', run));
    const move = { model: 'm', alias: 'champion', runId: 'r1', at: moment(1) };
    await models.moveAlias({ ...move, expected: null, to: 1 });
    await models.moveAlias({ ...move, expected: null, to: 1 });
    await refusedWith('REGISTRY_CONFLICT', models.moveAlias({ ...move, expected: null, to: 2 }));
    await refusedWith('REGISTRY_CONFLICT', models.moveAlias({ ...move, expected: 3, to: 2 }));
    await models.moveAlias({ ...move, expected: 1, to: 3, runId: 'r3', at: moment(2) });
    await models.moveAlias({ ...move, alias: 'challenger', expected: null, to: 2, runId: 'r2', at: moment(3) });
    assert.equal((await models.getVersion('m', 'champion'))?.version, 3);
    assert.deepEqual(await models.aliasHistory('m'), [
      { model: 'm', alias: 'champion', from: null, to: 1, runId: 'r1', at: moment(1) },
      { model: 'm', alias: 'champion', from: 1, to: 3, runId: 'r3', at: moment(2) },
      { model: 'm', alias: 'challenger', from: null, to: 2, runId: 'r2', at: moment(3) },
    ]);
    assert.deepEqual(await models.listModels(), [
      { model: 'm', latestVersion: 3, aliases: { challenger: 2, champion: 3 } },
    ]);
  });

  it('an alias moves only to a version that exists', async ({ models }) => {
    const move = { model: 'm', alias: 'champion', expected: null, to: 1, runId: 'r1', at: moment(1) };
    await refusedWith('MODEL_NOT_FOUND', models.moveAlias(move));
    assert.deepEqual(await models.aliasHistory('m'), []);
  });

  it('of many that move an alias from the same place one wins', async ({ models }) => {
    for (let run = 1; run <= 6; run++) await models.registerVersion(newVersion('m', `r${run}`));
    const targets = [1, 2, 3, 4, 5, 6];
    const results = await Promise.allSettled(
      targets.map((to) =>
        models.moveAlias({ model: 'm', alias: 'champion', expected: null, to, runId: `r${to}`, at: moment(to) }),
      ),
    );
    const won = targets.filter((_, index) => results[index]?.status === 'fulfilled');
    assert.equal(won.length, 1);
    assert.equal((await models.getVersion('m', 'champion'))?.version, won[0]);
    assert.equal((await models.aliasHistory('m')).length, 1);
  });

  it('models are listed by name with their latest version', async ({ models }) => {
    for (const [model, run] of [
      ['b', 'r1'],
      ['a', 'r1'],
      ['a', 'r2'],
    ] as const) {
      await models.registerVersion(newVersion(model, run));
    }
    assert.deepEqual(await models.listModels(), [
      { model: 'a', latestVersion: 2, aliases: {} },
      { model: 'b', latestVersion: 1, aliases: {} },
    ]);
  });
}
