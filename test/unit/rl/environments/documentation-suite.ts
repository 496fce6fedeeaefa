import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { SpaceRow } from '../../../../src/rl/environment.ts';
import type { EnvironmentKind } from '../../../../src/rl/environments/registry.ts';

/** Tests that a page of docs/environments holds the tables of its environments, row by row. */
export function documentationSuite(page: string, kinds: readonly EnvironmentKind[]): void {
  const url = new URL(`../../../../docs/environments/${page}`, import.meta.url);
  const text = readFileSync(url, 'utf8').replaceAll(/ +/g, ' ');
  const assertRow = (cells: readonly (string | number)[]): void => {
    const row = `| ${cells.join(' | ')} |`;
    assert.ok(text.includes(row), `docs/environments/${page} lacks the row:\n${row}`);
  };
  const cellsOf = ({ index, name, unit, low, high, meaning }: SpaceRow) => [index, name, unit, low, high, meaning];
  for (const kind of kinds) {
    test(`${page} holds the observation and action tables of ${kind.name}`, () => {
      const { observationTable, actionTable } = kind.create().description;
      for (const row of [...observationTable, ...actionTable]) assertRow(cellsOf(row));
    });
    test(`${page} holds the parameters of ${kind.name}`, () => {
      for (const [name, help] of Object.entries(kind.parameters)) assertRow([`\`${name}\``, help]);
    });
  }
}
