import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ferretdbVersion, obtainMongo } from '../../../../scripts/local-services/obtain-mongo.ts';
import { obtainProgram } from '../../../../scripts/local-services/obtain-program.ts';
import { obtainTemporal, temporalVersion } from '../../../../scripts/local-services/obtain-temporal.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-obtain-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const module = join(import.meta.dirname, '../../../../scripts/local-services');

/** Runs `work` with a PATH that holds only the given programs, each a shell script. */
async function withPath<Result>(programs: Record<string, string>, work: () => Promise<Result>): Promise<Result> {
  const bin = mkdtempSync(join(folder, 'bin-'));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const before = process.env.PATH;
  process.env.PATH = bin;
  try {
    return await work();
  } finally {
    process.env.PATH = before;
  }
}

test('the first source that has the program wins, and later ones are not asked', async () => {
  const asked: string[] = [];
  const source = (name: string, program: string | undefined) => ({
    name,
    obtain: async () => {
      asked.push(name);
      if (program === undefined) throw new Error(`nothing from ${name}`);
      return program;
    },
  });
  const sources = [source('one', undefined), source('two', '/two'), source('three', '/three')];
  assert.equal(await obtainProgram('It', sources, 'Way out.'), '/two');
  assert.deepEqual(asked, ['one', 'two']);
});

test('when no source has it, the error lists each with its reason, and the way out', async () => {
  const source = (name: string) => ({ name, obtain: () => Promise.reject(new Error(`no ${name} here`)) });
  await assert.rejects(obtainProgram('The server', [source('one'), source('two')], 'Install it.'), {
    message: 'The server could not be obtained. Tried:\n  - one: no one here\n  - two: no two here\nInstall it.',
  });
});

test('a Temporal CLI on PATH is taken before the cache', async () => {
  const path = await withPath({ temporal: 'exit 0' }, () => obtainTemporal({ cache: join(folder, 'empty') }));
  assert.match(path, /bin-.*\/temporal$/);
});

test('a mongod on PATH is taken when its version will do, and else the cached FerretDB', async () => {
  const modern = await withPath({ mongod: 'echo "db version v7.0.14"' }, () => obtainMongo({ cache: folder }));
  assert.equal(modern.engine, 'mongod');
  const cache = join(folder, 'cache');
  const hash = await cachedFerretdb(cache);
  const old = await withPath({ mongod: 'echo "db version v3.6.8"' }, () => obtainMongo({ cache }));
  assert.deepEqual(old, { engine: 'ferretdb', path: hash });
});

test('data of one engine are served by that engine only', async () => {
  const cache = join(folder, 'cache-for-engine');
  await cachedFerretdb(cache);
  const found = await withPath({ mongod: 'echo "db version v8.0.0"' }, () =>
    obtainMongo({ cache, engine: 'ferretdb' }),
  );
  assert.equal(found.engine, 'ferretdb');
});

/** Puts a stand-in for FerretDB where the cache would have it. */
async function cachedFerretdb(cache: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(module, 'ferretdb', file)));
  const key = `ferretdb-${ferretdbVersion}-${hash.digest('hex').slice(0, 12)}-${process.platform}-${process.arch}`;
  mkdirSync(join(cache, key), { recursive: true });
  writeFileSync(join(cache, key, 'ferretdb'), '', { mode: 0o755 });
  return join(cache, key, 'ferretdb');
}

test('the pinned versions are those of the committed Go modules', () => {
  assert.match(
    readFileSync(join(module, 'temporal', 'go.mod'), 'utf8'),
    new RegExp(`github\\.com/temporalio/cli v${temporalVersion.replaceAll('.', '\\.')}\\b`),
  );
  assert.match(
    readFileSync(join(module, 'ferretdb', 'go.mod'), 'utf8'),
    new RegExp(`github\\.com/FerretDB/FerretDB v${ferretdbVersion.replaceAll('.', '\\.')}\\b`),
  );
});
