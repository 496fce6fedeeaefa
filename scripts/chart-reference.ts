import { isMap, isScalar, parseDocument } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { RequiredRight } from '../src/cluster/kubernetes/required-rights.ts';

/** One value of a chart: where it stands, what it is by default, and what its comment says. */
export interface ChartValue {
  readonly path: string;
  readonly fallback: unknown;
  /** Empty when there is no comment. */
  readonly help: string;
}

/** deploy/helm/coxswain/files/rights.json: one right a line, from which the chart's roles are made. */
export function rightsFile(rights: readonly RequiredRight[]): string {
  return `[\n${rights.map((right) => `  ${JSON.stringify(right)}`).join(',\n')}\n]\n`;
}

/** The values in values.yaml, in its order. A mapping without a comment holds values; everything else is one. */
export function chartValues(text: string): ChartValue[] {
  const document = parseDocument(text);
  return isMap(document.contents) ? valuesIn(document, document.contents.items as Pair[], []) : [];
}

const start = '<!-- values -->';
const end = '<!-- /values -->';

/** The chart's README with the table of values between its two marks. */
export function withValuesTable(page: string, valuesText: string): string {
  const rows = chartValues(valuesText).map(
    ({ path, fallback, help }) => `| \`${path}\` | \`${JSON.stringify(fallback).replaceAll('|', '\\|')}\` | ${help} |`,
  );
  const table = ['| value | default | what it is |', '| --- | --- | --- |', ...rows].join('\n');
  const before = page.slice(0, page.indexOf(start) + start.length);
  return `${before}\n\n${table}\n\n${page.slice(page.indexOf(end))}`;
}

function valuesIn(document: Document, pairs: readonly Pair[], above: readonly string[]): ChartValue[] {
  return pairs.flatMap(({ key, value }, index) => {
    const name = isScalar(key) ? String(key.value) : String(key);
    const path = [...above, name];
    const help = commentOf(key as Node);
    // The comment above the first key of a mapping is attached to the mapping.
    const first = index === 0 && above.length > 0 ? commentOf(document.getIn(above, true) as Node) : '';
    if (isMap(value) && value.items.length > 0 && !value.flow && help === '')
      return valuesIn(document, value.items as Pair[], path);
    return [{ path: path.join('.'), fallback: document.getIn(path, true) ? plain(value) : null, help: help || first }];
  });
}

function plain(value: unknown): unknown {
  const { toJSON } = value as { toJSON?: () => unknown };
  return toJSON === undefined ? value : (value as { toJSON(): unknown }).toJSON();
}

function commentOf(node: Node | undefined): string {
  const comment = node?.commentBefore ?? '';
  return comment.split('\n').join(' ').trim();
}
