import { isMap, isNode, parseDocument } from 'yaml';
import type { YAMLMap } from 'yaml';
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
  const lines = rights.map(({ apiGroup, resource, verbs, scope, feature }) =>
    JSON.stringify({ apiGroup, resource, verbs, scope, feature }),
  );
  return `[\n  ${lines.join(',\n  ')}\n]\n`;
}

/** The values in values.yaml, in its order. A mapping without a comment holds values; everything else is one. */
export function chartValues(text: string): ChartValue[] {
  const { contents } = parseDocument(text);
  return isMap(contents) ? valuesIn(contents, []) : [];
}

const start = '<!-- values -->';
const end = '<!-- /values -->';

/** The chart's README with the table of values between its two marks. */
export function withValuesTable(page: string, valuesText: string): string {
  const rows = chartValues(valuesText).map(
    ({ path, fallback, help }) => `| \`${path}\` | \`${JSON.stringify(fallback)}\` | ${help} |`,
  );
  const table = ['| value | default | what it is |', '| --- | --- | --- |', ...rows].join('\n');
  const before = page.slice(0, page.indexOf(start) + start.length);
  return `${before}\n\n${table}\n\n${page.slice(page.indexOf(end))}`;
}

function valuesIn(map: YAMLMap, above: readonly string[]): ChartValue[] {
  return map.items.flatMap(({ key, value }, index) => {
    const path = [...above, String(key)];
    // The comment above the first key of a mapping is the mapping's.
    const help = commentOf(key) || (index === 0 ? commentOf(map) : '');
    if (isMap(value) && !value.flow && value.items.length > 0 && help === '') return valuesIn(value, path);
    return [{ path: path.join('.'), fallback: isNode(value) ? value.toJSON() : value, help }];
  });
}

function commentOf(node: unknown): string {
  const comment = isNode(node) ? (node.commentBefore ?? '') : '';
  return comment.replace(/\s+/g, ' ').trim();
}
