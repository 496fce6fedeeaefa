import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { collect } from '../../../src/recordings/collect.ts';
import type { Collected } from '../../../src/recordings/collect.ts';
import { decodeRecording } from '../../../src/recordings/recording.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';

const root = mkdtempSync(join(tmpdir(), 'coxswain-collect-'));
const dataFolders = { traces: join(root, 'traces'), gone: join(root, 'gone') };

before(() => {
  mkdirSync(join(root, 'traces/deep'), { recursive: true });
  mkdirSync(join(root, 'traces-secret'));
  const hours = Array.from({ length: 100 }, (_, i) => `${i * 60},${600 + i}`).join('\n');
  for (const path of ['traces/a.csv', 'traces/deep/a.csv', 'traces-secret/a.csv'])
    writeFileSync(join(root, path), `time,count\n${hours}\n`);
  writeFileSync(join(root, 'traces/zero.csv'), 'time,count\n0,0\n60,0\n');
  writeFileSync(join(root, 'traces/huge.csv'), 'time,count\n0,1e12\n60,1e12\n');
  symlinkSync('deep/a.csv', join(root, 'traces/inner'));
  symlinkSync('../traces-secret/a.csv', join(root, 'traces/outer'));
  symlinkSync('../traces-secret', join(root, 'traces/outer-folder'));
  symlinkSync('circle', join(root, 'traces/circle'));
  symlinkSync('.', join(root, 'traces/self'));
});
after(() => rmSync(root, { recursive: true }));

function collectWith(source: object, change: object = {}, minimumBins = 40): Promise<Collected> {
  const spec = parseRunSpec({ version: 1, name: 'x', collect: { source, ...change } });
  return collect(spec.collect, { dataFolders, minimumBins });
}

function collectFile(path: string, change: object = {}, collectChange: object = {}): Promise<Collected> {
  const layout = { kind: 'long', timeColumn: 'time', countColumn: 'count' };
  return collectWith({ kind: 'file', folder: 'traces', path, layout, ...change }, collectChange);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

describe('collect', () => {
  test('makes a recording of a generator', async () => {
    const { bytes, record } = await collectWith({ kind: 'generator', days: 1 });
    const recording = decodeRecording(bytes);
    assert.equal(record.source, 'generator');
    assert.equal(record.bins, 5760);
    assert.deepEqual(record.parts, {
      train: { from: 0, to: 3456 },
      validate: { from: 3456, to: 4608 },
      heldOut: { from: 4608, to: 5760 },
    });
    assert.equal(record.meanRequestsPerSecond, sum(recording.arrivals) / 86_400);
    assert.equal(record.peakRequestsPerSecond, Math.max(...recording.arrivals) / 15);
    assert.deepEqual(recording.parts, record.parts);
  });

  test('makes a recording of a file, with as many requests as the file has', async () => {
    const { bytes, record } = await collectFile('deep/a.csv');
    const { arrivals, ...metadata } = decodeRecording(bytes);
    assert.equal(arrivals.length, 400);
    assert.equal(sum(arrivals), 100 * 600 + 4950);
    assert.equal(record.source, 'traces/deep/a.csv');
    assert.deepEqual(metadata, {
      source: record.source,
      seed: 1,
      binSeconds: 15,
      parts: record.parts,
      repairs: { interpolatedBins: 0, summedDuplicates: 0 },
    });
  });

  test('gives the same bytes for the same spec and file, and others for another seed', async () => {
    assert.deepEqual(await collectFile('a.csv'), await collectFile('a.csv'));
    assert.notDeepEqual((await collectFile('a.csv', {}, { seed: 2 })).bytes, (await collectFile('a.csv')).bytes);
    const generator = { kind: 'generator', days: 1 };
    assert.deepEqual((await collectWith(generator)).bytes, (await collectWith(generator)).bytes);
  });

  test('refuses a recording with a part shorter than an episode', async () => {
    await assert.rejects(collectFile('a.csv', { takeBins: 40 }), { code: 'RECORDING_TOO_SHORT' });
  });

  test('refuses a file without a request, and counts beyond what a bin holds', async () => {
    await assert.rejects(collectFile('zero.csv'), {
      code: 'TRACE_UNREADABLE',
      message: /traces\/zero\.csv: holds no request/,
    });
    await assert.rejects(collectFile('a.csv', { rateScale: 1e-9 }), {
      code: 'TRACE_UNREADABLE',
      message: /check rateScale/,
    });
    await assert.rejects(collectFile('huge.csv'), { code: 'TRACE_UNREADABLE', message: /lower rateScale/ });
    const generator = { kind: 'generator', days: 1, meanRequestsPerSecond: 100_000, flashCrowdPeak: 100 };
    await assert.rejects(collectWith(generator, { binSeconds: 3600 }), {
      code: 'SPEC_INVALID',
      message: /^collect\.source\.meanRequestsPerSecond: /,
    });
  });

  test('stops when it is cancelled', async () => {
    const spec = parseRunSpec({ version: 1, name: 'x' });
    const signal = AbortSignal.abort(new Error('cancelled by the test'));
    await assert.rejects(collect(spec.collect, { dataFolders, minimumBins: 1, signal }), /cancelled by the test/);
  });
});

describe('a data folder', () => {
  test('may be read through links that stay inside', async () => {
    const { bytes } = await collectFile('a.csv');
    for (const path of ['inner', 'self/self/a.csv'])
      assert.deepEqual(decodeRecording((await collectFile(path)).bytes).arrivals, decodeRecording(bytes).arrivals);
  });

  test('is never left, neither by links nor by ..', async () => {
    for (const path of ['outer', 'outer-folder/a.csv'])
      await assert.rejects(collectFile(path), { code: 'NOT_ALLOWED', message: /leads out of its data folder/ });
    const { collect: spec } = parseRunSpec({ version: 1, name: 'x' });
    const layout = { kind: 'long', timeColumn: 'time', countColumn: 'count' } as const;
    const file = {
      kind: 'file',
      folder: 'traces',
      layout,
      fileBinSeconds: 60,
      unit: 'requests-per-bin',
      rateScale: 1,
    } as const;
    const rest = { onGap: 'error', maxGapBins: 1, onDuplicate: 'error', skipBins: 0, takeBins: null } as const;
    for (const path of ['../traces-secret/a.csv', 'deep/../../traces-secret/a.csv', join(root, 'traces/a.csv')])
      await assert.rejects(collect({ ...spec, source: { ...file, ...rest, path } }, { dataFolders, minimumBins: 1 }), {
        code: 'NOT_ALLOWED',
      });
  });

  test('must be one of the configured ones and exist', async () => {
    for (const folder of ['other', 'constructor'])
      await assert.rejects(collectFile('a.csv', { folder }), { code: 'NOT_ALLOWED', message: new RegExp(folder) });
    await assert.rejects(collectFile('a.csv', { folder: 'gone' }), {
      code: 'CONFIG_INVALID',
      message: 'COXSWAIN_DATA_FOLDERS: the folder "gone" cannot be found on this worker (ENOENT)',
    });
  });

  test('gives clear errors for what is no readable file', async () => {
    execFileSync('mkfifo', [join(root, 'traces/pipe')]);
    const cases: Record<string, RegExp> = {
      'absent.csv': /^traces\/absent\.csv: there is no such file/,
      deep: /^traces\/deep: is not a file/,
      self: /^traces\/self: is not a file/,
      pipe: /^traces\/pipe: is not a file/,
      circle: /links lead in a circle/,
      'a.csv/b': /a part of the path is a file/,
      ['x'.repeat(300)]: /the name is too long/,
    };
    for (const [path, message] of Object.entries(cases))
      await assert.rejects(collectFile(path), { code: 'TRACE_UNREADABLE', message }, path);
  });

  test('tells when permission is missing', async () => {
    writeFileSync(join(root, 'traces/closed.csv'), 'time,count\n');
    chmodSync(join(root, 'traces/closed.csv'), 0);
    for (const path of ['', 'traces']) chmodSync(join(root, path), 0o755);
    // Root may read everything, so the test gives that up for a moment.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      await assert.rejects(collectFile('closed.csv'), {
        code: 'TRACE_UNREADABLE',
        message: /this worker may not read it/,
      });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  test('does not tell where it lies on the worker', async () => {
    for (const path of ['absent.csv', 'outer', 'deep', 'zero.csv'])
      await assert.rejects(collectFile(path), (error: Error) => !error.message.includes(root));
  });
});
