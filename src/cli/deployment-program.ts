import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { controlModes } from '../contracts/control.ts';
import type { ControlMode } from '../contracts/control.ts';
import type { CommandContext } from './command-context.ts';
import type { DeployOptions } from './deploy-command.ts';
import {
  controlCommand,
  decisionsCommand,
  deploymentsCommand,
  eventsCommand,
  replayCommand,
} from './deployment-commands.ts';
import type { ControlVerb, DecisionsOptions, ReplayOptions } from './deployment-commands.ts';
import { collect, wholeNumber } from './option-values.ts';

const deployExamples = `
SPEC is a YAML or JSON file, the name of a deployment that comes with Coxswain, or - for standard input. It begins in
shadow unless the spec or --mode says otherwise. The same spec again, while it runs, is the same deployment.

Examples:
  $ coxswain deploy deployment.yaml
  $ coxswain deploy online-boutique --set target.namespace=shop --set owners=pause
  $ coxswain deploy deployment.yaml --mode live --json`;

const controlExamples = `
Examples:
  $ coxswain control mode shop live                      act from the next step on
  $ coxswain control fallback shop "checkout is slow"    the calibrated HPA takes over
  $ coxswain control resume shop                         end a pause, and give the policy its place back
  $ coxswain control stop shop --wait                    end the loop; paused owners are resumed`;

const decisionsExamples = `
Each line has the step, when it was, who acted (in brackets: would have, in shadow mode), and the workloads for which
something was wanted: replicas before → permitted, and what the guard took away. --json has everything, one line a step.

Examples:
  $ coxswain decisions shop --last 40
  $ coxswain decisions shop --after 1200 --last 10 --json`;

const replayExamples = `
Reads observations, memory and answers from the record and the policy from the artifact store (COXSWAIN_ARTIFACTS), and
computes what the loop has computed. Exit code 1 and REPLAY_DIFFERS at the first step that differs by a bit.

Examples:
  $ coxswain replay shop
  $ coxswain replay shop --from 1000 --to 1240 --json`;

const maxStep = Number.MAX_SAFE_INTEGER;

/** Adds the commands of deployments. */
export function addDeploymentCommands(program: Command, context: CommandContext, finish: (code: number) => void): void {
  program
    .command('deploy')
    .description('let a registered policy steer workloads')
    .argument('<spec>', 'YAML or JSON file, name of a deployment that comes along, or -')
    .option('--set <path=value>', 'change a value of the spec; may be repeated', collect)
    .addOption(new Option('--mode <mode>', 'the mode that it begins in').choices([...controlModes]))
    .option('--json', 'one line of JSON')
    .addHelpText('after', deployExamples)
    .action(async (spec: string, options: DeployOptions) => {
      const { deployCommand } = await import('./deploy-command.ts');
      finish(await deployCommand(context, spec, options));
    });

  program
    .command('deployments')
    .description('list the deployments, or show one')
    .argument('[name]', 'name of a deployment')
    .option('--json', 'one line of JSON')
    .action(async (name: string | undefined, options: { json?: boolean }) =>
      finish(await deploymentsCommand(context, name, options)),
    );

  addControlCommands(program, context, finish);

  program
    .command('decisions')
    .description('show what a deployment has decided, and why')
    .argument('<name>', 'name of a deployment')
    .option('--last <n>', 'how many steps, 1 to 1000', wholeNumber(1, 1000), 20)
    .option('--after <step>', 'those after this step, in place of the last ones', wholeNumber(0, maxStep))
    .option('--json', 'one line of JSON a step, with everything')
    .addHelpText('after', decisionsExamples)
    .action(async (name: string, options: DecisionsOptions) => finish(await decisionsCommand(context, name, options)));

  program
    .command('events')
    .description('show what happened to a deployment, newest first; alerts are marked with !')
    .argument('<name>', 'name of a deployment')
    .option('--json', 'one line of JSON')
    .action(async (name: string, options: { json?: boolean }) => finish(await eventsCommand(context, name, options)));

  program
    .command('replay')
    .description('compute the recorded decisions of a deployment again, bit for bit')
    .argument('<name>', 'name of a deployment')
    .option('--from <step>', 'the first step', wholeNumber(0, maxStep))
    .option('--to <step>', 'the last step', wholeNumber(0, maxStep))
    .option('--json', 'one line of JSON')
    .addHelpText('after', replayExamples)
    .action(async (name: string, options: ReplayOptions) => finish(await replayCommand(context, name, options)));
}

function addControlCommands(program: Command, context: CommandContext, finish: (code: number) => void): void {
  const control = program.command('control').description('steer a deployment').addHelpText('after', controlExamples);
  const verb = (name: string, description: string): Command =>
    control.command(name).description(description).argument('<name>', 'name of a deployment');
  const run = async (name: string, what: ControlVerb, options: { json?: boolean }): Promise<void> =>
    finish(await controlCommand(context, name, what, options));

  verb('pause', 'let nobody act until it is resumed')
    .option('--json', 'one line of JSON')
    .action((name: string, options: object) => run(name, { verb: 'pause' }, options));
  verb('resume', 'end a pause, and give the policy its place back after a fallback')
    .option('--json', 'one line of JSON')
    .action((name: string, options: object) => run(name, { verb: 'resume' }, options));
  verb('stop', 'end the loop; owners that were paused are resumed')
    .option('--wait', 'until it is over')
    .option('--json', 'one line of JSON')
    .action((name: string, options: { wait?: boolean; json?: boolean }) =>
      run(name, { verb: 'stop', wait: options.wait ?? false }, options),
    );
  verb('mode', 'only record decisions, or act')
    .addArgument(new Argument('<mode>', 'the mode').choices([...controlModes]))
    .option('--json', 'one line of JSON')
    .action((name: string, mode: ControlMode, options: object) => run(name, { verb: 'mode', mode }, options));
  verb('fallback', 'let the calibrated HPA take over')
    .argument('[reason...]', 'why, for the record')
    .option('--json', 'one line of JSON')
    .action((name: string, words: readonly string[], options: object) =>
      run(name, { verb: 'fallback', reason: words.join(' ') }, options),
    );
}
