import type { Model } from '../client/model-reader.ts';
import type { ModelSummary } from '../contracts/stores.ts';
import { withSession } from './command-context.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import { plainText, wrap } from './terminal-text.ts';

/** Lists the models, or shows one. @returns the exit code */
export async function modelsCommand(
  context: CommandContext,
  name: string | undefined,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  return withSession(context, async ({ client: { models } }) => {
    const found = name === undefined ? { models: await models.list() } : await models.get(name);
    context.output.write(
      `${json ? JSON.stringify(found) : 'models' in found ? renderModels(found.models) : renderModel(found)}\n`,
    );
    return exitCodes.done;
  });
}

function renderModels(models: readonly ModelSummary[]): string {
  if (models.length === 0) return 'No models yet: a run registers one.';
  const width = Math.max(...models.map(({ model }) => model.length));
  return models
    .map(({ model, latestVersion, aliases }) =>
      `${model.padEnd(width)}  ${latestVersion} versions  ${aliasText(aliases)}`.trimEnd(),
    )
    .join('\n');
}

function renderModel({ model, versions, aliases }: Model): string {
  const lines = versions.flatMap(({ version, createdAt, lineage, gate, policy }) => [
    `version ${version}${aliasesOf(version, aliases)}  ${createdAt.toISOString().slice(0, 16).replace('T', ' ')}  gate ${gate.passed ? 'passed' : 'not passed'}`,
    `  run ${plainText(lineage.runId)}, seed ${lineage.seed}, commit ${lineage.gitSha ?? 'unknown'}, policy ${policy.sha256.slice(0, 12)}`,
    ...gate.reasons.flatMap((reason) => wrap(plainText(reason), 100, '  ')),
  ]);
  return [model, ...lines].join('\n');
}

function aliasesOf(version: number, aliases: Readonly<Record<string, number>>): string {
  const names = Object.keys(aliases).filter((alias) => aliases[alias] === version);
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}

function aliasText(aliases: Readonly<Record<string, number>>): string {
  return Object.entries(aliases)
    .map(([alias, version]) => `${alias} → ${version}`)
    .join(', ');
}
