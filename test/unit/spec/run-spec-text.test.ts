import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readRunSpecText, specFormatOf } from '../../../src/spec/run-spec-text.ts';

function assertRefused(text: string, format: 'yaml' | 'json', message: RegExp): void {
  assert.throws(() => readRunSpecText(text, format), { code: 'SPEC_INVALID', message });
}

describe('readRunSpecText', () => {
  test('reads YAML 1.2: yes is text, 0o17 a number, no merge keys, no dates', () => {
    const text = '\uFEFFa: yes\nb: 0o17\nc: 2026-01-01\nd: [1, 2.5]\n<<: x\n';
    assert.deepEqual(readRunSpecText(text, 'yaml'), { a: 'yes', b: 15, c: '2026-01-01', d: [1, 2.5], '<<': 'x' });
  });

  test('reads JSON', () => {
    assert.deepEqual(readRunSpecText('{"a": {"b": [1, "x"]}}', 'json'), { a: { b: [1, 'x'] } });
  });

  test('lets aliases repeat a value', () => {
    assert.deepEqual(readRunSpecText('a: &x [1]\nb: *x\n', 'yaml'), { a: [1], b: [1] });
  });

  test('refuses a name that occurs twice, with its line', () => {
    assertRefused('a: 1\nb:\n  c: 1\n  c: 2\n', 'yaml', /line 4: .*unique/);
    assertRefused(
      '{\n"a": 1,\n"b": {"a": [{"a": 1}, {"a": 2}],\n "a": 3}}',
      'json',
      /line 4: the name "a" occurs twice/,
    );
    assertRefused('{"a": 1, "\\u0061": 2}', 'json', /line 1: the name "a" occurs twice/);
  });

  test('is not misled by text that looks like names and braces', () => {
    const json = '{"a": "\\"a\\": {", "b": ["a", "a", ":"], "c": "}{", "d": {"a": "\\\\"}}';
    assert.deepEqual(readRunSpecText(json, 'json'), JSON.parse(json));
  });

  test('refuses tags, directives, several documents and keys that are no text', () => {
    assertRefused('a: !!js/function x\n', 'yaml', /line 1: .*tag/i);
    assertRefused('b: 1\na: !mine x\n', 'yaml', /line 2: .*tag/i);
    assertRefused('%YAML 1.1\n---\na: yes\n', 'yaml', /%YAML/);
    assertRefused('a: 1\n---\nb: 1\n', 'yaml', /line 2: .*multiple documents/);
    assertRefused('? [a]\n: 1\n', 'yaml', /line 1: /);
  });

  test('refuses alias bombs, unknown aliases and endless nesting', () => {
    const level = (name: string, of: string) =>
      `${name}: &${name} [${Array.from({ length: 9 }, () => of).join(',')}]\n`;
    const bomb = level('a', '1') + level('b', '*a') + level('c', '*b') + level('d', '*c');
    assertRefused(bomb, 'yaml', /alias/i);
    assertRefused('a: *b\n', 'yaml', /alias/i);
    assertRefused('['.repeat(100_000), 'yaml', /the spec: /);
  });

  test('says the line of a syntax error', () => {
    assertRefused('a: 1\n b: 2\n', 'yaml', /line 1/);
    assertRefused('a: 1\nb: "open\n', 'yaml', /line [23]/);
    assertRefused('{"a": }', 'json', /no JSON: /);
    assertRefused('', 'json', /no JSON: /);
  });

  test('refuses a text above 256 KiB by its bytes', () => {
    assertRefused(`a: ${'é'.repeat(131_072)}`, 'yaml', /found 262147 bytes; allowed: at most 262144/);
    assert.deepEqual(readRunSpecText(`a: ${'x'.repeat(262_141)}`, 'yaml'), { a: 'x'.repeat(262_141) });
  });

  test('takes .json for JSON and other names for YAML', () => {
    assert.deepEqual(['a.json', 'a.JSON', 'a.yaml', 'a.yml', 'json'].map(specFormatOf), [
      'json',
      'json',
      'yaml',
      'yaml',
      'yaml',
    ]);
  });
});
