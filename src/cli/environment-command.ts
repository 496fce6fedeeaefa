import { resolve } from 'node:path';
import type { EnvironmentDescription } from '../rl/environment.ts';
import type { EnvironmentFinding, EnvironmentReport } from '../rl/environment-check/report.ts';
import type { EnvironmentKind } from '../rl/environments/registry.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { jsonObject } from './json-option.ts';
import { createPaint, wrap } from './terminal-text.ts';
import type { Paint } from './terminal-text.ts';

/** Columns that explanations are broken at. */
const WIDTH = 100;

/** Options of `env check`. */
export interface EnvironmentCheckCommandOptions {
  readonly parameters?: string;
  readonly steps: number;
  readonly seed: number;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** Lists the environments, or the parameters of one. `name` may be the path of a module. @returns the exit code */
export async function environmentListCommand(
  { output }: CommandContext,
  name: string | undefined,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const found = name === undefined ? await allKinds() : [await find(name)];
  if (json) output.write(`${JSON.stringify({ environments: found.map(described) })}\n`);
  else output.write(`${name === undefined ? renderAll(found) : renderOne(found[0])}\n`);
  return exitCodes.done;
}

/**
 * Holds an environment to its contract and looks for what an agent would learn badly from. `name` may be a module's path.
 * @returns the exit code: failed when a rule is broken or, if strict, when something was found that nobody has accepted
 */
export async function environmentCheckCommand(
  { output }: CommandContext,
  name: string,
  { parameters, steps, seed, strict = false, json = false }: EnvironmentCheckCommandOptions,
): Promise<number> {
  const given = parameters === undefined ? {} : jsonObject('--parameters', parameters, '{"episodeSteps": 100}');
  const kind = await find(name);
  const { checkEnvironment } = await import('../rl/environment-check/check-environment.ts');
  const report = checkEnvironment(kind, { parameters: given, steps, seed });
  if (json) output.write(`${JSON.stringify(report)}\n`);
  else output.write(`${renderReport(report, createPaint(output.hasColors?.() ?? false))}\n`);
  const open = report.findings.some(({ accepted }) => accepted === null);
  return report.violations.length > 0 || (strict && open) ? exitCodes.failed : exitCodes.done;
}

async function allKinds(): Promise<readonly EnvironmentKind[]> {
  const { environments } = await import('../rl/environments/index.ts');
  return Object.values(environments);
}

async function find(name: string): Promise<EnvironmentKind> {
  if (/[.](ts|mts|js|mjs)$/.test(name)) {
    const { loadEnvironmentKind } = await import('../rl/environment-check/load-kind.ts');
    return loadEnvironmentKind(resolve(name));
  }
  const kinds = await allKinds();
  const found = kinds.find((kind) => kind.name === name);
  if (found) return found;
  throw usageError(`No environment is called "${name}"; there are: ${kinds.map((kind) => kind.name).join(', ')}.`);
}

function described(kind: EnvironmentKind): object {
  const { observationSpace, actionSpace, actionMaskSize, maxEpisodeSteps } = kind.create().description;
  const { name, summary, parameters } = kind;
  const observationSize = sizeOf(observationSpace.shape);
  return { name, summary, observationSize, actionSpace, masked: actionMaskSize > 0, maxEpisodeSteps, parameters };
}

function renderAll(kinds: readonly EnvironmentKind[]): string {
  const width = Math.max(...kinds.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 2);
  return kinds
    .map((kind) => `${kind.name.padEnd(width)}  ${kind.summary}\n${indent}${sizes(kind.create().description)}`)
    .join('\n');
}

function renderOne(kind: EnvironmentKind): string {
  const parameters = Object.entries(kind.parameters).flatMap(([name, meaning]) => [
    name,
    ...wrap(meaning, WIDTH, '    '),
  ]);
  const heading = parameters.length > 0 ? ['', 'Parameters:'] : [];
  return [`${kind.name}: ${kind.summary}`, sizes(kind.create().description), ...heading, ...parameters].join('\n');
}

function sizes({ observationSpace, actionSpace, actionMaskSize, maxEpisodeSteps }: EnvironmentDescription): string {
  const length = maxEpisodeSteps === null ? 'no time limit' : `at most ${maxEpisodeSteps} steps`;
  const masked = actionMaskSize > 0 ? ', masked' : '';
  return `Sees ${sizeOf(observationSpace.shape)} numbers; acts in ${actionText(actionSpace)}${masked}; ${length}.`;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** `3 choices`, `11 × 15 choices`, `11 + 11 + 3 × 4 choices`, or `a box of 2`. */
function actionText(space: EnvironmentDescription['actionSpace']): string {
  if (space.kind === 'box') return `a box of ${sizeOf(space.shape)}`;
  if (space.kind === 'discrete') return `${space.n} choices`;
  const runs: { count: number; times: number }[] = [];
  for (const count of space.choices) {
    const last = runs.at(-1);
    if (last?.count === count) last.times++;
    else runs.push({ count, times: 1 });
  }
  return `${runs.map(({ count, times }) => (times > 1 ? `${times} × ${count}` : count)).join(' + ')} choices`;
}

function renderReport(
  { name, rules, violations, findings, steps, microsecondsPerStep }: EnvironmentReport,
  paint: Paint,
): string {
  const brokenRules = new Map(violations.map(({ rule, message }) => [rule, message]));
  const lines = rules.flatMap(({ title, notLookedAt }) => {
    const broken = brokenRules.get(title);
    if (broken !== undefined) return [paint('bad', `✗ ${title}`), ...wrap(broken, WIDTH, '    ')];
    if (notLookedAt !== null) return [paint('faint', `– ${title}: ${notLookedAt}`)];
    return [`${paint('good', '✓')} ${title}`];
  });
  if (violations.length > 0) {
    const count = `${rules.length - violations.length} of ${rules.length} rules kept`;
    return [...lines, `${name}: ${count}; the lint looks only at environments that keep all.`].join('\n');
  }
  const open = findings.filter(({ accepted }) => accepted === null).length;
  const time = microsecondsPerStep === null ? '' : `; ${microsecondsPerStep.toFixed(1)} µs a step`;
  const found = `${open} found by the lint, ${findings.length - open} accepted, in ${steps} steps`;
  return [
    ...lines,
    ...findings.flatMap((entry) => renderFinding(entry, paint)),
    `${name}: contract kept; ${found}${time}`,
  ].join('\n');
}

function renderFinding({ kind, where, what, why, advice, accepted }: EnvironmentFinding, paint: Paint): string[] {
  const first = wrap(`${kind}: ${where} ${what}`, WIDTH, '    ');
  const head = accepted === null ? paint('warning', '!') : paint('faint', 'accepted');
  const rest = accepted === null ? [`Why it matters: ${why}`, `What to do: ${advice}`] : [`So on purpose: ${accepted}`];
  return [`${head} ${first[0].trimStart()}`, ...first.slice(1), ...rest.flatMap((text) => wrap(text, WIDTH, '    '))];
}
