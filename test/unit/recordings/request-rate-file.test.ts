import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { FileSource } from '../../../src/contracts/run-spec.ts';
import { readRequestCounts } from '../../../src/recordings/request-rate-file.ts';
import type { RequestCounts } from '../../../src/recordings/layout-reader.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-traces-'));
after(() => rmSync(folder, { recursive: true }));

const long = { kind: 'long', timeColumn: 'time', countColumn: 'count' };
const wide = { kind: 'wide', columnPrefix: 'm', idColumn: 'id' };

interface Changes extends Partial<Omit<FileSource, 'layout'>> {
  readonly layout?: object;
  readonly binSeconds?: number;
}

async function read(
  content: string | Uint8Array,
  { binSeconds = 60, ...change }: Changes = {},
): Promise<RequestCounts> {
  const source = { kind: 'file', folder: 'f', path: 'a.csv', layout: long, fileBinSeconds: 60, ...change };
  const spec = parseRunSpec({ version: 1, name: 'x', collect: { binSeconds, source } });
  assert.ok(spec.collect.source.kind === 'file');
  writeFileSync(join(folder, 'a.csv'), content);
  const handle = await open(join(folder, 'a.csv'));
  return readRequestCounts(handle, spec.collect.source, binSeconds).finally(() => handle.close());
}

/** A long file with these rows, a header before them. */
function rows(...lines: string[]): string {
  return ['time,count', ...lines, ''].join('\n');
}

/** Rows for the given minutes, each with 10 × its minute as count. */
function minutes(...at: number[]): string {
  return rows(...at.map((minute) => `${minute * 60},${minute * 10}`));
}

async function countsOf(content: string | Uint8Array, changes?: Changes): Promise<number[]> {
  return Array.from((await read(content, changes)).counts);
}

async function assertRefused(content: string | Uint8Array, message: RegExp, changes?: Changes): Promise<void> {
  await assert.rejects(read(content, changes), { code: 'TRACE_UNREADABLE', message });
}

describe('a long file', () => {
  test('gives a count for each row', async () => {
    const { counts, repairs } = await read(
      rows('2026-03-01 00:00:00,5', '2026-03-01 00:01:00,0', '2026-03-01 00:02:00,7'),
    );
    assert.deepEqual(Array.from(counts), [5, 0, 7]);
    assert.deepEqual(repairs, { interpolatedBins: 0, summedDuplicates: 0 });
  });

  test('may have a byte order mark, \\r\\n, quotes, other columns and no line break at its end', async () => {
    const text = '\uFEFF"time",who,count\r\n2026-03-01T00:00Z,"a, b",5\r\n2026-03-01T00:01:00Z,,"6"';
    assert.deepEqual(await countsOf(text), [5, 6]);
  });

  test('may give time as ISO with offsets, as seconds or as milliseconds', async () => {
    const forms = [
      ['2026-03-01T01:00:00+01:00', '2026-02-28T19:01:00-05:00'],
      ['2026-03-01 00:00', '2026-03-01 00:01'],
      ['2026-03-01T00:00:00.000Z', '2026-03-01T00:01:00.000Z'],
      ['1772323200', '1772323260'],
      ['1772323200.0', '1772323260.00'],
      ['1772323200000', '1772323260000'],
      ['0', '60'],
    ];
    for (const [first, second] of forms)
      assert.deepEqual(await countsOf(rows(`${first},1`, `${second},2`)), [1, 2], first);
  });

  test('crosses a leap day and the change to summer time as UTC does', async () => {
    const day = { fileBinSeconds: 86_400, binSeconds: 3600 };
    assert.deepEqual(await countsOf(rows('2028-02-28,1', '2028-02-29,2', '2028-03-01,3'), day), [1, 2, 3]);
    const hours = rows(
      '2026-03-29 00:00:00,1',
      '2026-03-29 01:00:00,2',
      '2026-03-29 02:00:00,3',
      '2026-03-29 03:00:00,4',
    );
    assert.deepEqual(await countsOf(hours, { fileBinSeconds: 3600 }), [1, 2, 3, 4]);
  });

  test('is scaled, and rates become counts', async () => {
    assert.deepEqual(await countsOf(rows('0,10', '60,20'), { rateScale: 0.5 }), [5, 10]);
    assert.deepEqual(await countsOf(rows('0,1.5', '60,2'), { unit: 'requests-per-second' }), [90, 120]);
  });

  test('is added up where its bins are narrower than those of the recording', async () => {
    const seconds = rows(...Array.from({ length: 47 }, (_, second) => `${second},1`));
    assert.deepEqual(await countsOf(seconds, { fileBinSeconds: 1, binSeconds: 15 }), [15, 15, 15]);
  });

  test('is taken from skipBins on, as many as takeBins', async () => {
    assert.deepEqual(await countsOf(minutes(0, 1, 2, 3, 4), { skipBins: 1, takeBins: 2 }), [10, 20]);
    assert.deepEqual(await countsOf(minutes(0, 1, 2, 3, 4), { skipBins: 3 }), [30, 40]);
    assert.deepEqual(await countsOf(minutes(0, 1, 2), { takeBins: 3 }), [0, 10, 20]);
    await assertRefused(minutes(0, 1, 2), /^f\/a\.csv: has 3 bins; skipBins 1 and takeBins 3 need 4/, {
      skipBins: 1,
      takeBins: 3,
    });
    await assertRefused(minutes(0, 1, 2), /has 3 bins; skipBins 3/, { skipBins: 3 });
  });

  test('is not read beyond takeBins', async () => {
    assert.deepEqual(await countsOf(minutes(0, 1, 2) + 'rubbish\n', { takeBins: 2 }), [0, 10]);
  });
});

describe('a gap', () => {
  test('is an error that names the line, the time and the way out', async () => {
    const message =
      /^f\/a\.csv, line 4: 1 bin of 60 s missing before 1970-01-01T00:03:00Z; set onGap: interpolate, or correct/;
    await assertRefused(minutes(0, 1, 3), message);
  });

  test('is filled with a straight line and counted', async () => {
    const { counts, repairs } = await read(minutes(0, 1, 4, 5, 7), { onGap: 'interpolate' });
    assert.deepEqual(Array.from(counts), [0, 10, 20, 30, 40, 50, 60, 70]);
    assert.deepEqual(repairs, { interpolatedBins: 3, summedDuplicates: 0 });
  });

  test('longer than maxGapBins is an error', async () => {
    const changes: Changes = { onGap: 'interpolate', maxGapBins: 2 };
    assert.equal((await countsOf(minutes(0, 1, 4), changes)).length, 5);
    await assertRefused(minutes(0, 1, 5), /line 4: 3 bins of 60 s missing before .*; maxGapBins allows 2/, changes);
  });

  test('leads to the sum of the rows that end it', async () => {
    const text = rows('0,0', '60,10', '180,10', '180,20', '240,40');
    const { counts, repairs } = await read(text, { onGap: 'interpolate', onDuplicate: 'sum' });
    assert.deepEqual(Array.from(counts), [0, 10, 20, 30, 40]);
    assert.deepEqual(repairs, { interpolatedBins: 1, summedDuplicates: 1 });
  });

  test('counts only as far as its bins are taken', async () => {
    const text = minutes(0, 1, 3, 4, 6, 7, 9);
    assert.deepEqual(await countsOf(text, { skipBins: 3, takeBins: 2 }), [30, 40]);
    const { counts, repairs } = await read(text, { skipBins: 5, takeBins: 2, onGap: 'interpolate' });
    assert.deepEqual([Array.from(counts), repairs.interpolatedBins], [[50, 60], 1]);
    await assertRefused(text, /line 6/, { skipBins: 4, takeBins: 2 });
    assert.deepEqual(await countsOf(minutes(0, 1_000_000_000, 1_000_000_001), { skipBins: 1_000_000_000 }), [
      1e10,
      1e10 + 10,
    ]);
  });

  test('that takes the end of what is taken is cut there', async () => {
    const { counts, repairs } = await read(minutes(0, 1, 4), { takeBins: 3, onGap: 'interpolate' });
    assert.deepEqual([Array.from(counts), repairs.interpolatedBins], [[0, 10, 20], 1]);
  });
});

describe('a duplicate', () => {
  test('is an error that names the line', async () => {
    await assertRefused(minutes(0, 1, 1, 2), /line 4: 1970-01-01T00:01:00Z occurs again; .* onDuplicate: sum/);
    await assertRefused(minutes(0, 0), /line 3: 1970-01-01T00:00:00Z occurs again/);
  });

  test('is added up and counted', async () => {
    const { counts, repairs } = await read(minutes(0, 1, 1, 1, 2, 2), { onDuplicate: 'sum' });
    assert.deepEqual(Array.from(counts), [0, 30, 40]);
    assert.deepEqual(repairs, { interpolatedBins: 0, summedDuplicates: 3 });
  });

  test('counts only where it is taken', async () => {
    assert.deepEqual(await countsOf(minutes(0, 0, 1, 2), { skipBins: 1 }), [10, 20]);
    assert.deepEqual(await countsOf(minutes(0, 1, 2, 2), { takeBins: 2 }), [0, 10]);
  });
});

describe('what cannot be repaired', () => {
  test('is refused with its line: negative, no number, empty, infinite', async () => {
    await assertRefused(
      rows('0,1', '60,-3'),
      /^f\/a\.csv, line 3: count: found -3; expected a number that is not negative/,
    );
    await assertRefused(rows('0,1', '60,many'), /line 3: count: found "many"; expected a number/);
    await assertRefused(rows('0,1', '60,NaN'), /line 3: count: found "NaN"/);
    await assertRefused(rows('0,1', '60,0x10'), /line 3/);
    await assertRefused(rows('0,1', '60,'), /line 3: count: found nothing; expected a number/);
    await assertRefused(rows('0,1', '60,1e999'), /line 3: count: .*expected a smaller number/);
  });

  test('is refused where the unit is wrong', async () => {
    await assertRefused(
      rows('0,1', '60,2.5'),
      /line 3: count: found 2\.5; expected a whole number .*requests-per-second/,
    );
  });

  test('is refused where rows are out of order', async () => {
    await assertRefused(minutes(0, 2, 1), /comes after/, { onGap: 'interpolate', onDuplicate: 'sum' });
    await assertRefused(
      minutes(3, 2),
      /line 3: 1970-01-01T00:02:00Z comes after 1970-01-01T00:03:00Z; expected rows in the order/,
    );
  });

  test('is refused where fileBinSeconds is not the width of the file', async () => {
    await assertRefused(rows('0,1', '15,1', '30,1'), /line 3: .* is 15 s after the first row, no multiple of the 60 s/);
    const minutesOf = (count: number): string => minutes(...Array.from({ length: count }, (_, i) => i));
    const changes: Changes = { fileBinSeconds: 15, binSeconds: 15, onGap: 'interpolate' };
    await assertRefused(minutesOf(100), /line 3: rows are 60 s apart or more, but fileBinSeconds is 15/, changes);
    await assertRefused(minutesOf(4), /line 3: rows are 60 s apart or more, but fileBinSeconds is 15/, changes);
    await assertRefused(minutesOf(100), /line 3: 3 bins of 15 s missing .* correct fileBinSeconds/, {
      ...changes,
      onGap: 'error',
    });
  });

  test('is refused where a time is none, does not exist or is written otherwise', async () => {
    await assertRefused(rows('noon,1'), /line 2: time: found "noon"; expected a time such as/);
    await assertRefused(rows(',1'), /line 2: time: found nothing/);
    for (const time of ['2026-02-30 00:00:00', '2026-13-01 00:00:00', '2026-01-01 24:00:00', '2026-01-01 00:60:00'])
      await assertRefused(rows(`${time},1`), /line 2: time: .*expected a time that exists/);
    await assertRefused(rows('0,1', '1970-01-01 00:01:00,1'), /line 3: time: .*written alike in every row/);
    await assertRefused(rows('2026-01-01 00:00:00,1', '60,1'), /line 3: time/);
  });

  test('is refused where the header lacks a column or has it twice', async () => {
    await assertRefused('period,count\n0,1\n', /line 1: no column "time"; found "period", "count"$/);
    await assertRefused(
      'time;count\n0;1\n',
      /no column "time"; found "time;count"; columns must be separated by commas/,
    );
    await assertRefused('time,count,count\n0,1,2\n', /line 1: column "count" occurs twice/);
  });

  test('is refused where a row has another number of fields', async () => {
    await assertRefused('time,count\n0,1\n60\n', /line 3: found 1 fields; expected 2 as in the header/);
    await assertRefused('time,count\n0,1,2\n', /line 2: found 3 fields/);
  });

  test('is refused where there is nothing', async () => {
    await assertRefused('', /^f\/a\.csv: is empty; expected a header and rows/);
    await assertRefused('\n\n', /is empty/);
    await assertRefused('time,count\n', /has a header but no rows/);
  });

  test('is refused with its line where the bytes are no UTF-8', async () => {
    const latin1 = Buffer.from('time,count\n0,1\n60,2 \xe9\n', 'latin1');
    await assertRefused(latin1, /^f\/a\.csv, line 3: bytes that are not UTF-8/);
    await assertRefused(
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(minutes(0, 1), 'utf16le')]),
      /found UTF-16/,
    );
    await assertRefused(Buffer.from([0x1f, 0x8b, 8, 0]), /found gzip/);
    const far = Buffer.concat([
      Buffer.from(minutes(...Array.from({ length: 60_000 }, (_, i) => i))),
      Buffer.from([0xc3, 0x28]),
    ]);
    await assertRefused(far, /line 60002: bytes that are not UTF-8/);
  });

  test('is refused where a line has no end', async () => {
    await assertRefused(`time,count\n0,${'1'.repeat(5 * 1024 * 1024)}`, /line 2: a line above 4194304 bytes/);
  });
});

describe('a wide file', () => {
  const text = 'id,owner,m1,m2,m3\na,x,1,2,3\nb,x,10,20,30\nc,y,100,200,300\n';

  test('gives the sum of the chosen rows, or of all', async () => {
    assert.deepEqual(await countsOf(text, { layout: { ...wide, ids: ['a', 'c'] } }), [101, 202, 303]);
    assert.deepEqual(await countsOf(text, { layout: wide }), [111, 222, 333]);
  });

  test('takes its columns by their number', async () => {
    assert.deepEqual(await countsOf('m10,id,m9,m11,mean\n2,a,1,3,x\n', { layout: wide }), [1, 2, 3]);
    assert.deepEqual(await countsOf('id,1,2\na,5,6\n', { layout: { ...wide, columnPrefix: '' } }), [5, 6]);
  });

  test('does not read the rows that were not chosen', async () => {
    assert.deepEqual(await countsOf('id,m1\na,7\nb,rubbish\n', { layout: { ...wide, ids: ['a'] } }), [7]);
  });

  test('is skipped and taken by bins', async () => {
    assert.deepEqual(await countsOf(text, { layout: wide, skipBins: 1, takeBins: 1 }), [222]);
  });

  test('names ids that it lacks', async () => {
    const layout = { ...wide, ids: ['a', 'z', 'q'] };
    await assertRefused(text, /^f\/a\.csv: has no row whose id is "z", "q"/, { layout });
  });

  test('treats a missing column as a gap', async () => {
    const gap = 'id,m1,m2,m5\na,1,2,5\n';
    await assertRefused(gap, /line 1: 2 bins of 60 s missing before column m5/, { layout: wide });
    const { counts, repairs } = await read(gap, { layout: wide, onGap: 'interpolate' });
    assert.deepEqual([Array.from(counts), repairs.interpolatedBins], [[1, 2, 3, 4, 5], 2]);
  });

  test('treats an id that occurs twice as a duplicate', async () => {
    const twice = 'id,m1\na,1\nb,10\na,2\n';
    await assertRefused(twice, /line 4: "a" occurs again/, { layout: wide });
    const { counts, repairs } = await read(twice, { layout: wide, onDuplicate: 'sum' });
    assert.deepEqual([Array.from(counts), repairs.summedDuplicates], [[13], 1]);
  });

  test('names the line and the column of a bad value', async () => {
    await assertRefused('id,m1,m2\na,1,2\nb,3,\n', /line 3: m2: found nothing/, { layout: wide });
  });

  test('is refused without columns of bins, with one twice, or without rows', async () => {
    await assertRefused('id,x1\na,1\n', /line 1: no column is "m" and a number; found "id", "x1"/, { layout: wide });
    await assertRefused('id,m1,m01\na,1,2\n', /line 1: column "m0?1" occurs twice/, { layout: wide });
    await assertRefused('id,m1\n', /has a header but no rows/, { layout: wide });
  });
});
