import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { withFields } from '../../../src/spec/run-spec-fields.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/run-spec.md'), 'utf8');

describe('docs/guides/run-spec.md', () => {
  test('lists the fields of the schema (else run `node scripts/write-reference.ts`)', () => {
    assert.equal(guide, withFields(guide));
  });

  test('says of a field what it means, its range and its default', () => {
    const lines = withFields('## Fields\n').split('\n');
    for (const line of [
      '- `version`: Version of this format. Always `1`.',
      '- `device`: Where to train. `auto` or `cpu` or `gpu`. Default: `"auto"`.',
      '- `collect.source` with `kind: generator`: Seeded daily, weekly and flash-crowd traffic.',
      '- `collect.source.days`: Length of the recording, days. Above 0, at most 366. Default: `14`.',
      '- `collect.source.layout` with `kind: wide`: One row a series, one column a bin.',
      '- `collect.source.takeBins`: Bins of the file to take; null = to its end. 1 to 1000000000. Default: `null`.',
      '- `train.seeds`: One training for each seed. 1 to 32 values. Default: `[1,2,3,4,5]`.',
    ])
      assert.ok(lines.includes(line), line);
    assert.ok(lines.every((line) => !/undefined|\[object/.test(line)));
  });
});
