import { gradients } from './gradients/index.ts';
import { kernelFamilies } from './kernels/index.ts';
import { kernelNotes } from './kernels/notes.ts';
import { randomFunctions, refusedKernels } from './kernels/refused.ts';

const introduction = `# Operations that can be compiled

A program is written with TF.js; each function of TF.js runs one or more of the operations below, which are those that TF.js
calls kernels. Dense layers, layer norm, attention, embeddings, recurrent cells, losses and metrics are made of them. An
operation that is not here is refused when the program is traced, with the line that used it.

Each is tested against TF.js's CPU backend, gradients included, with random and edge inputs: nothing, one element,
broadcasting, negative axes, whole numbers, truth values, not-a-number and ±∞. A note says where the result is another on
purpose. An operation without a gradient can be used where nothing has to flow back through it.

Text, complex numbers and random numbers are refused everywhere: random numbers come in as inputs, so that a compiled
program gives the same for the same inputs. The functions that draw them (${[...randomFunctions].map((name) => `tf.${name}`).join(', ')}
and what uses them, such as tf.dropout) are errors while a program is traced.

Truth values can be compared, combined, chosen by, moved around and counted with cumulative sums; to compute with them
otherwise, cast them to numbers first.

Shapes are numbers or named lengths (of a batch, of time); what a program does must not depend on values.
`;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(heads), row(heads.map(() => '---')), ...rows.map(row)].join('\n');
}

/** docs/tensor/operations.md, made of the families of operations, their gradients, notes and refusals. */
export function operationsPage(): string {
  const families = Object.entries(kernelFamilies).map(([title, family]) => {
    const rows = Object.keys(family)
      .sort()
      .map((name) => [name, name in gradients ? 'yes' : 'no', kernelNotes[name] ?? '']);
    return `## ${title}\n\n${table(['Operation', 'Gradient', 'Note'], rows)}\n`;
  });
  const refused = Object.entries(refusedKernels).map(([name, { reason, instead }]) => [name, reason, instead]);
  const refusals = `## Refused\n\n${table(['Operation', 'Why', 'What to do'], refused)}\n`;
  return [introduction, ...families, refusals].join('\n');
}
