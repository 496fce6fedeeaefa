import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { SpaceRow } from '../../../../../src/rl/environment.ts';
import { onlineBoutique } from '../../../../../src/rl/environments/online-boutique/kind.ts';
import { onlineBoutiqueApplication } from '../../../../../src/rl/environments/online-boutique/online-boutique-application.ts';

const page = readFileSync(
  new URL('../../../../../docs/environments/online-boutique.md', import.meta.url),
  'utf8',
).replaceAll(/ +/g, ' ');

const { description } = { description: onlineBoutique.create().description };

function assertRow(cells: readonly (string | number)[]): void {
  const row = `| ${cells.join(' | ')} |`;
  assert.ok(page.includes(row), `docs/environments/online-boutique.md lacks the row:\n${row}`);
}

const cellsOf = ({ index, name, unit, low, high, meaning }: SpaceRow): (string | number)[] => [
  index,
  name,
  unit,
  low,
  high,
  meaning,
];

test('the page holds the observation table row by row', () => {
  const perService = description.observationTable.length - 11 * 10;
  // The services' features are the same: the page shows those of the first, with indices for service number s = 0.
  for (const row of description.observationTable.slice(0, perService)) assertRow(cellsOf(row));
  for (const row of description.observationTable.slice(perService, perService + 10)) {
    assertRow(cellsOf({ ...row, index: `${row.index} + 10 s`, name: row.name.replace('frontend.', '') }));
  }
});

test('the page holds the action table row by row', () => {
  for (const row of description.actionTable) assertRow(cellsOf(row));
});

test('the page holds the parameters of every service', () => {
  for (const service of onlineBoutiqueApplication.services) assertRow(Object.values(service));
});

test('the page holds every parameter of the environment', () => {
  for (const [name, help] of Object.entries(onlineBoutique.parameters)) assertRow([`\`${name}\``, help]);
});
