import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CsvParser, maxRecordLength } from '../../../src/recordings/csv-parser.ts';

/** Fields of every record of `text`. */
function parse(text: string): string[][] {
  const parser = new CsvParser('f');
  const records = parser.read(text.split('\n'));
  parser.end();
  return records.map(({ fields }) => [...fields]);
}

function assertRefused(text: string, message: RegExp): void {
  assert.throws(() => parse(text), { code: 'TRACE_UNREADABLE', message });
}

describe('CsvParser', () => {
  test('splits at commas, also around empty fields', () => {
    assert.deepEqual(parse('a,b\n,\n1,,3'), [
      ['a', 'b'],
      ['', ''],
      ['1', '', '3'],
    ]);
  });

  test('takes \\r\\n as it takes \\n', () => {
    assert.deepEqual(parse('a,b\r\n1,2\r\n'), parse('a,b\n1,2\n'));
    assert.deepEqual(parse('"a",b\r\n1,"2"\r\n'), [
      ['a', 'b'],
      ['1', '2'],
    ]);
  });

  test('reads quoted fields with commas, doubled quotes and line breaks', () => {
    assert.deepEqual(parse('"a,b","c""d","e\nf\n",g\n"",x'), [
      ['a,b', 'c"d', 'e\nf\n', 'g'],
      ['', 'x'],
    ]);
    assert.deepEqual(parse('"e\r\nf"\r\n'), [['e\r\nf']]);
  });

  test('counts lines, also those inside of quotes', () => {
    const parser = new CsvParser('f');
    const lines = parser.read('a\n"b\nc"\nd'.split('\n')).map(({ line }) => line);
    assert.deepEqual(lines, [1, 2, 4]);
    assert.equal(parser.line, 4);
  });

  test('goes on across pieces, in the middle of a quoted field', () => {
    const parser = new CsvParser('f');
    const records = [parser.read(['a,"b']), parser.read(['c",d', 'e'])];
    assert.deepEqual(records[0], []);
    assert.deepEqual(records[1], [
      { line: 1, fields: ['a', 'b\nc', 'd'] },
      { line: 3, fields: ['e'] },
    ]);
  });

  test('allows empty lines at the end only', () => {
    assert.deepEqual(parse('a\n1\n\n\r\n'), [['a'], ['1']]);
    assertRefused('a\n1\n\n2\n', /^f, line 3: an empty line/);
  });

  test('names the line of a quote that is never closed or stands astray', () => {
    assertRefused('a,b\n1,"2\n3,4\n', /^f, line 2: a quote is opened here and never closed/);
    assertRefused('a,b\n1,2"3"\n', /^f, line 2: a stray quote/);
    assertRefused('a,b\n"1"2,3\n', /^f, line 2: a stray quote/);
  });

  test('refuses NUL characters and lone carriage returns', () => {
    assertRefused('a,b\n1,\0\n', /^f, line 2: a NUL character/);
    assertRefused('a,b\r1,2\r', /^f, line 1: a lone \\r/);
  });

  test('reads a quoted field of megabytes and refuses one without end', () => {
    const long = 'x""\n'.repeat(500_000);
    assert.equal(parse(`"${long}",1`)[0][0].length, 1_500_000);
    assertRefused(`a\n"${'x\n'.repeat(maxRecordLength / 2 + 1)}`, /^f, line 2: a record above 4194304 characters/);
  });
});
