import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { deploymentSpecJsonSchema } from '../../../src/spec/deployment-spec.ts';
import { runSpecJsonSchema } from '../../../src/spec/run-spec.ts';
import { withFields } from '../../../src/spec/spec-fields.ts';

for (const [name, schema] of [
  ['run-spec.md', runSpecJsonSchema()],
  ['deployments.md', deploymentSpecJsonSchema()],
] as const) {
  test(`docs/guides/${name} lists the fields of the schema (else run \`node scripts/write-reference.ts\`)`, () => {
    const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides', name), 'utf8');
    assert.equal(guide, withFields(guide, schema));
  });
}

describe('the list of fields', () => {
  test('says of a field what it means, its range and its default', () => {
    const lines = withFields('## Fields\n', runSpecJsonSchema()).split('\n');
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

  test('goes into what may be null and into the objects of a list', () => {
    const lines = withFields('## Fields\n', deploymentSpecJsonSchema()).split('\n');
    for (const line of [
      '- `model.version`: Version or alias, as it stands when the deployment is opened. Default: `"champion"`.',
      '- `guard.podHours`: What all workloads together may use; null = as much as their limits allow. Default: `null`.',
      '- `guard.podHours.windowHours`: Length of the window, hours. 1 to 168. Default: `24`.',
      '- `guard.frozen`: Hours of the week in which nothing is changed. 0 to 32 values. Default: `[]`.',
      '- `guard.frozen[].fromMinute`: When they begin, minutes since midnight, UTC. 0 to 1439.',
    ])
      assert.ok(lines.includes(line), line);
    assert.ok(lines.every((line) => !/undefined|\[object/.test(line)));
  });
});
