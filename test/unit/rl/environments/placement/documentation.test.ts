import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { placementV1 } from '../../../../../src/rl/environments/placement/placement-v1.ts';
import { placementV2 } from '../../../../../src/rl/environments/placement/placement-v2.ts';
import { placementV3 } from '../../../../../src/rl/environments/placement/placement-v3.ts';

const url = new URL('../../../../../docs/environments/placement.md', import.meta.url);
const page = readFileSync(url, 'utf8').replaceAll(/ +/g, ' ');

function assertRow(cells: readonly (string | number)[]): void {
  const row = `| ${cells.join(' | ')} |`;
  assert.ok(page.includes(row), `docs/environments/placement.md lacks the row:\n${row}`);
}

for (const kind of [placementV1, placementV2, placementV3]) {
  test(`the page holds the tables of ${kind.name} row by row`, () => {
    const { observationTable, actionTable } = kind.create().description;
    for (const { index, name, unit, low, high, meaning } of [...observationTable, ...actionTable]) {
      assertRow([index, name, unit, low, high, meaning]);
    }
    for (const [name, help] of Object.entries(kind.parameters)) assertRow([`\`${name}\``, help]);
  });
}
