import { resolve } from 'node:path';
import type { Algorithm } from '../rl/algorithm.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import { jsonObject } from './json-option.ts';
import { wrap } from './terminal-text.ts';

/** Options of `algorithm check`. */
export interface AlgorithmCheckCommandOptions {
  readonly hyperparameters?: string;
  readonly json?: boolean;
}

/** Lists the algorithms, or the hyperparameters of one. `name` may be the path of a module. @returns the exit code */
export async function algorithmListCommand(
  { output }: CommandContext,
  name: string | undefined,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const { algorithms } = await import('../rl/algorithms/index.ts');
  const found = name === undefined ? Object.values(algorithms) : [await find(name)];
  if (json) output.write(`${JSON.stringify({ algorithms: found.map(described) })}\n`);
  else output.write(`${name === undefined ? renderAll(found) : renderOne(found[0])}\n`);
  return exitCodes.done;
}

/**
 * Holds an algorithm to the contract, rule by rule.
 * @returns the exit code: failed when a rule is broken
 */
export async function algorithmCheckCommand(
  { output, interrupted }: CommandContext,
  name: string,
  { hyperparameters, json = false }: AlgorithmCheckCommandOptions,
): Promise<number> {
  const given =
    hyperparameters === undefined ? {} : jsonObject('--hyperparameters', hyperparameters, '{"learningRate": 0.001}');
  const algorithm = await find(name);
  algorithm.configure(given, 2);
  const { algorithmRules } = await import('../rl/algorithm-check/algorithm-check.ts');
  const results: { rule: string; broken: string | null }[] = [];
  for (const { title, check } of algorithmRules({ algorithm, hyperparameters: given })) {
    interrupted.throwIfAborted();
    const broken = await check().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    results.push({ rule: title, broken });
    if (!json) output.write(renderResult(title, broken));
  }
  const broken = results.filter((result) => result.broken !== null).length;
  const kept = results.length - broken;
  if (json) output.write(`${JSON.stringify({ algorithm: algorithm.name, rules: results })}\n`);
  else output.write(`${algorithm.name}: ${kept} of ${results.length} rules kept\n`);
  return broken === 0 ? exitCodes.done : exitCodes.failed;
}

async function find(name: string): Promise<Algorithm> {
  const { algorithms } = await import('../rl/algorithms/index.ts');
  const { algorithmNamed, loadAlgorithm } = await import('../rl/algorithms/load-algorithms.ts');
  return /\.(ts|mts|js|mjs)$/.test(name) ? loadAlgorithm(resolve(name)) : algorithmNamed(name, algorithms, 'algorithm');
}

function described({ name, summary, actionSpaces, masks, hyperparameters }: Algorithm): object {
  const entries = Object.entries(hyperparameters).map(([key, { default: value, rule, meaning }]) => [
    key,
    { default: value, allowed: rule.allowed, meaning },
  ]);
  return { name, summary, actionSpaces, masks, hyperparameters: Object.fromEntries(entries) };
}

function renderAll(algorithms: readonly Algorithm[]): string {
  const width = Math.max(...algorithms.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 2);
  return algorithms
    .map(({ name, summary, actionSpaces, masks }) => {
      const acts = `Acts in ${actionSpaces.join(', ')}${masks ? '; keeps to masks' : ''}.`;
      return `${name.padEnd(width)}  ${summary}\n${indent}${acts}`;
    })
    .join('\n');
}

function renderOne({ name, summary, hyperparameters }: Algorithm): string {
  const sections = Object.entries(hyperparameters).flatMap(([key, { default: value, rule, meaning }]) => [
    `${key} = ${JSON.stringify(value)}`,
    ...wrap(`${meaning} Allowed: ${rule.allowed}.`, 100, '    '),
  ]);
  return [`${name}: ${summary}`, '', ...sections].join('\n');
}

function renderResult(title: string, broken: string | null): string {
  if (broken === null) return `✓ ${title}\n`;
  return `✗ ${title}\n${wrap(broken, 100, '    ').join('\n')}\n`;
}
