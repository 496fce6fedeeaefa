import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { collect } from '../../src/recordings/collect.ts';
import type { Collected } from '../../src/recordings/collect.ts';
import { decodeRecording } from '../../src/recordings/recording.ts';
import { parseRunSpec } from '../../src/spec/run-spec.ts';

const data = resolve(import.meta.dirname, '../../../shared/data');
const dataFolders = { traces: join(data, 'http-request-rates'), azure: join(data, 'azure-functions-2019-sample') };

/** A reason to skip where the real data is not at hand; it is too large for the repository. */
function missing(path: string): string | false {
  return existsSync(join(data, path)) ? false : `optional: ${path} is not at ../shared/data`;
}

const worldCup = {
  kind: 'file',
  folder: 'traces',
  path: 'worldcup98_per_minute.csv',
  layout: { kind: 'long', timeColumn: 'period', countColumn: 'count' },
  fileBinSeconds: 60,
  onGap: 'interpolate',
};
const azure = {
  kind: 'file',
  folder: 'azure',
  path: '200_inv.csv',
  layout: { kind: 'wide', columnPrefix: 'minute_', idColumn: 'HashFunction' },
  fileBinSeconds: 60,
};

function collectSource(source: object): Promise<Collected> {
  const spec = parseRunSpec({ version: 1, name: 'real', collect: { source } });
  return collect(spec.collect, { dataFolders, minimumBins: 240 });
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The rows of a plain CSV file without its header. */
function plainRows(path: string): string[][] {
  const lines = readFileSync(join(data, path), 'utf8').trimEnd().split('\n');
  return lines.slice(1).map((line) => line.split(','));
}

describe('World Cup 98', { skip: missing('http-request-rates/worldcup98_per_minute.csv') }, () => {
  test('has seven gaps; interpolated, ten minutes are counted and every other minute is conserved', async () => {
    const { bytes, record } = await collectSource(worldCup);
    assert.deepEqual(record.repairs, { interpolatedBins: 10, summedDuplicates: 0 });
    assert.equal(record.bins, 125_310 * 4);
    const { arrivals } = decodeRecording(bytes);
    const origin = Date.parse('1998-04-30T21:30:00Z');
    let total = 0;
    for (const [period, count] of plainRows('http-request-rates/worldcup98_per_minute.csv')) {
      const minute = (Date.parse(`${period.replace(' ', 'T')}Z`) - origin) / 60_000;
      assert.equal(sum(arrivals.subarray(4 * minute, 4 * minute + 4)), Number(count), period);
      total += Number(count);
    }
    assert.equal(total, 1_352_804_107);
    assert.ok(sum(arrivals) > total);
  });

  test('has a gap in its line 10434 that is an error unless the spec says otherwise', async () => {
    await assert.rejects(collectSource({ ...worldCup, onGap: 'error' }), {
      code: 'TRACE_UNREADABLE',
      message: /worldcup98_per_minute\.csv, line 10434: 1 bin of 60 s missing before 1998-05-08T03:23:00Z/,
    });
  });

  test('is refused when the spec takes its minutes for seconds', async () => {
    await assert.rejects(collectSource({ ...worldCup, fileBinSeconds: 1, maxGapBins: 100 }), {
      code: 'TRACE_UNREADABLE',
      message: /line 3: rows are 60 s apart or more, but fileBinSeconds is 1/,
    });
  });

  test('is brought to the size of an application, from one day on, always to the same bytes', async () => {
    const week = { ...worldCup, rateScale: 0.05, skipBins: 150, takeBins: 7 * 1440 };
    const [first, second] = [await collectSource(week), await collectSource(week)];
    assert.deepEqual(first.bytes, second.bytes);
    assert.equal(first.record.bins, 7 * 5760);
    const counts = plainRows('http-request-rates/worldcup98_per_minute.csv').slice(150, 150 + 7 * 1440);
    const expected = counts.reduce((total, [, count]) => total + 0.05 * Number(count), 0);
    const rounding = 0.5 * Math.sqrt(counts.length); // each minute is rounded on its own
    assert.ok(Math.abs(first.record.meanRequestsPerSecond * 7 * 86_400 - expected) < 4 * rounding);
  });
});

describe('Azure Functions', { skip: missing('azure-functions-2019-sample/200_inv.csv') }, () => {
  test('gives one day of all functions, minute by minute', async () => {
    const { bytes, record } = await collectSource(azure);
    const rows = plainRows('azure-functions-2019-sample/200_inv.csv');
    const { arrivals } = decodeRecording(bytes);
    assert.equal(record.bins, 1440 * 4);
    for (let minute = 0; minute < 1440; minute++)
      assert.equal(
        sum(arrivals.subarray(4 * minute, 4 * minute + 4)),
        sum(rows.map((row) => Number(row[3 + minute]))),
        `minute ${minute + 1}`,
      );
    assert.equal(sum(arrivals), 155_469);
  });

  test('gives chosen functions', async () => {
    const [id, , , ...counts] = plainRows('azure-functions-2019-sample/200_inv.csv')[0];
    const { record } = await collectSource({ ...azure, layout: { ...azure.layout, ids: [id] } });
    assert.equal(Math.round(record.meanRequestsPerSecond * 86_400), sum(counts.map(Number)));
  });

  test('names a function that is not there', async () => {
    await assert.rejects(collectSource({ ...azure, layout: { ...azure.layout, ids: ['f00d'] } }), {
      code: 'TRACE_UNREADABLE',
      message: 'azure/200_inv.csv: has no row whose HashFunction is "f00d"',
    });
  });
});
