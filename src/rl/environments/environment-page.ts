import type { SpaceRow } from '../environment.ts';
import type { EnvironmentKind } from './registry.ts';

/** A line of a table in a page: its cells, and of an observation the first place that it is about. */
interface Line {
  readonly place: number;
  readonly index: string;
  readonly name: string;
  readonly row: SpaceRow;
  readonly note: string;
}

const marked = /(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- end of table -->)/g;

/**
 * A page of docs/environments with its tables made of the environment's own description. They stand between
 * `<!-- table: observation -->`, `action` or `parameters` and `<!-- end of table -->`.
 */
export function withTables(page: string, kind: EnvironmentKind): string {
  const { observationTable, actionTable } = kind.create().description;
  const tables: Readonly<Record<string, () => string>> = {
    observation: () => spaceTable(observationTable),
    action: () => spaceTable(actionTable),
    parameters: () => parameterTable(kind.parameters),
  };
  return page.replace(marked, (_, begin: string, name: string, end: string) => `${begin}\n${tables[name]()}\n${end}`);
}

function spaceTable(rows: readonly SpaceRow[]): string {
  const lines = foldFamilies(foldRuns(rows.map(asLine)));
  const cells = lines.map(({ index, name, row, note }) => [
    index,
    name,
    row.unit,
    bound(row.low),
    bound(row.high),
    row.meaning + note,
  ]);
  return table([['index', 'name', 'unit', 'low', 'high', 'meaning'], ...cells]);
}

function parameterTable(parameters: Readonly<Record<string, string>>): string {
  return table([['parameter', 'meaning'], ...Object.entries(parameters).map(([name, help]) => [`\`${name}\``, help])]);
}

function asLine(row: SpaceRow): Line {
  return { place: Number(row.index), index: row.index, name: row.name, row, note: '' };
}

/** Rows that follow each other and differ only in a number at the end of their names become one: `topic0 … topic7`. */
function foldRuns(lines: readonly Line[]): Line[] {
  const folded: Line[] = [];
  let length = 0;
  for (const line of lines) {
    const last = folded.at(-1);
    if (last && isAlike(last, line) && line.name === successor(last.name, length)) {
      length++;
      const [first] = last.name.split(' … ');
      folded[folded.length - 1] = { ...last, index: `${last.place}–${line.place}`, name: `${first} … ${line.name}` };
    } else {
      folded.push(line);
      length = 1;
    }
  }
  return folded;
}

/** The name after a run of `length` rows: the run's first name with its last number raised. */
function successor(name: string, length: number): string | null {
  const match = /^(.*?)(\d+)$/.exec(name.split(' … ')[0]);
  return match && `${match[1]}${Number(match[2]) + length}`;
}

/** Families of things with the same features (`user0.cqi`, `user1.cqi`) become the features of one: `user⟨i⟩.cqi`. */
function foldFamilies(lines: readonly Line[]): Line[] {
  const member = (line: Line): { family: string; number: number; feature: string } | null => {
    const match = /^([A-Za-z]+)(\d+)[.](.+)$/.exec(line.name);
    return match && { family: match[1], number: Number(match[2]), feature: match[3] };
  };
  const places = new Map<string, number[]>();
  for (const line of lines) {
    const found = member(line);
    if (found)
      (places.get(found.family) ?? places.set(found.family, []).get(found.family)!)[found.number] ??= line.place;
  }
  return lines.flatMap((line) => {
    const found = member(line);
    if (!found) return [line];
    const [first, second] = places.get(found.family)!;
    if (found.number > 0) return [];
    if (second === undefined) return [line];
    const name = `${found.family}⟨i⟩.${found.feature.replaceAll(`${found.family}0.`, `${found.family}⟨i⟩.`)}`;
    const count = places.get(found.family)!.length;
    return [{ ...line, index: `${line.index} + ${second - first} i`, name, note: ` (i = 0 … ${count - 1})` }];
  });
}

function isAlike(a: Line, b: Line): boolean {
  return (
    a.row.unit === b.row.unit && a.row.low === b.row.low && a.row.high === b.row.high && a.row.meaning === b.row.meaning
  );
}

function bound(value: number): string {
  return Number.isFinite(value) ? String(value).replace('-', '−') : value > 0 ? '∞' : '−∞';
}

/** A table in the form that the project's formatter leaves as it is. */
function table(rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = escaped[0].map((_, column) => Math.max(3, ...escaped.map((row) => [...row[column]].length)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const padded = escaped.map((row) =>
    line(row.map((cell, column) => cell + ' '.repeat(widths[column] - [...cell].length))),
  );
  return [padded[0], line(widths.map((width) => '-'.repeat(width))), ...padded.slice(1), ''].join('\n');
}
