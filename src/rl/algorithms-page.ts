import type { Algorithm } from './algorithm.ts';
import type { Hyperparameter } from './hyperparameters.ts';

const introduction = `# Algorithms and their hyperparameters

What \`agent.algorithm\` may name and \`agent.hyperparameters\` may set. How to add one: [guide](guides/algorithms.md). What their figures mean: [metrics](metrics.md).
`;

/** docs/algorithms.md, made of the algorithms' own tables. */
export function algorithmsPage(algorithms: Readonly<Record<string, Algorithm>>): string {
  return [introduction, ...Object.values(algorithms).map(section)].join('\n');
}

function section({ name, summary, actionSpaces, masks, hyperparameters }: Algorithm): string {
  const rows = Object.entries(hyperparameters).map((entry) => row(...entry));
  return `## ${name}

${summary}

Acts in: ${actionSpaces.join(', ')}. ${masks ? 'Keeps to action masks.' : 'Knows no action masks.'}

| Hyperparameter | Default | Allowed | Meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function row(name: string, { default: value, rule, meaning }: Hyperparameter<unknown>): string {
  const cells = [`\`${name}\``, `\`${JSON.stringify(value)}\``, rule.allowed, meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
