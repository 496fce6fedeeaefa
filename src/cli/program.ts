import { Command, CommanderError, Option } from 'commander';
import { packageVersion } from '../client/package-version.ts';
import { CoxswainError, toCoxswainError } from '../contracts/errors.ts';
import { algorithmCheckCommand, algorithmListCommand } from './algorithm-command.ts';
import type { AlgorithmCheckCommandOptions } from './algorithm-command.ts';
import type { CommandContext } from './command-context.ts';
import { addDeploymentCommands } from './deployment-program.ts';
import { environmentCheckCommand, environmentListCommand } from './environment-command.ts';
import type { EnvironmentCheckCommandOptions } from './environment-command.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { modelsCommand } from './models-command.ts';
import { collect, wholeNumber } from './option-values.ts';
import type { RunOptions } from './run-command.ts';
import { listCommand, statusCommand } from './status-commands.ts';
import type { ListOptions } from './status-commands.ts';
import { steeringCommand } from './steering-commands.ts';
import type { SteeringOptions } from './steering-commands.ts';
import type { TwinOptions } from './twin-command.ts';
import type { TwinManifestsOptions } from './twin-manifests-command.ts';
import { numberOption, speedOption } from './twin-options.ts';
import { upCommand } from './up-command.ts';
import type { UpOptions } from './up-command.ts';

const introduction =
  'Train policies that steer Kubernetes, prove them against the best calibrated autoscaler, and let them steer.';

const epilogue = `
Exit codes:
  0    done
  1    the run failed or was cancelled; a check found something
  2    bad input: an option, a spec, an unknown run
  3    Temporal or MongoDB could not be reached
  130  Ctrl-C (a run that was being watched goes on)

Where it connects:
  TEMPORAL_ADDRESS and MONGODB_URL; without them what a running "npm start" or "coxswain up" serves in this folder,
  else 127.0.0.1:7233 and 127.0.0.1:27017. All settings: docs/configuration.md

Examples:
  $ coxswain up                                       everything on this machine, until Ctrl-C
  $ coxswain run online-boutique --wait               the bundled pipeline, with its progress and its report
  $ coxswain run pipeline.yaml --set train.totalSteps=50000 --set 'train.seeds=[1,2]'
  $ coxswain run pipeline.yaml --id nightly-42 --wait --json
  $ coxswain status nightly-42 --wait
  $ coxswain list --status failed
  $ coxswain cancel nightly-42 --wait
  $ coxswain models online-boutique
  $ coxswain deploy online-boutique                   the champion steers a cluster, first in shadow
  $ coxswain decisions online-boutique --last 20
  $ coxswain control mode online-boutique live
  $ coxswain algorithm list ppo
  $ coxswain env check radio-resources
  $ coxswain twin --namespace shop --rate 60          a load for a real cluster`;

const runExamples = `
SPEC is a YAML or JSON file, the name of a bundled pipeline, or - for standard input.
The same id and spec again is the same run, also after its end: repeat the command if you are not sure.

Examples:
  $ coxswain run pipeline.yaml --wait
  $ coxswain run pipeline.yaml --set collect.source.days=7 --set device=gpu
  $ generate-spec | coxswain run - --id "ci-$BUILD_NUMBER" --wait --json > report.json`;

/** Runs the command line. @returns the exit code; errors are written to `context.errors`. */
export async function runProgram(context: CommandContext, args: readonly string[]): Promise<number> {
  let code: number = exitCodes.done;
  const program = createProgram(context, (result) => (code = result));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has written its own message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.badInput;
    if (context.interrupted.aborted) return exitCodes.interrupted;
    context.errors.write(errorText(error, args.includes('--json')));
    return exitCodeOf(error);
  }
}

function createProgram(context: CommandContext, finish: (code: number) => void): Command {
  const program = new Command('coxswain')
    .description(introduction)
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help, or that of a command')
    .helpCommand('help [command]', 'print the help of a command')
    // An option belongs to the command that it stands behind: `twin` and `twin manifests` both have --namespace.
    .enablePositionalOptions()
    .showHelpAfterError('(coxswain --help shows what there is)')
    .addHelpText('after', epilogue)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.output.write(text),
      writeErr: (text) => context.errors.write(text),
    });

  program
    .command('up')
    .description('bring everything up on this machine and stay until Ctrl-C')
    .option('--no-services', 'use the Temporal and MongoDB of the environment, start neither')
    .option('--no-api', 'without the HTTP API (only with --no-services or in an installed package)')
    .action(async (options: UpOptions) => finish(await upCommand(context, options)));

  program
    .command('run')
    .description('start a run')
    .argument('<spec>', 'YAML or JSON file, name of a bundled pipeline, or -')
    .option('--set <path=value>', 'change a value of the spec; may be repeated', collect)
    .option('--id <id>', 'id of the run; default: name and time')
    .option('--wait', 'show the progress until the end, then the report; Ctrl-C detaches')
    .option('--json', 'one line of JSON on standard output: what was started, or with --wait the report')
    .addHelpText('after', runExamples)
    .action(async (spec: string, options: RunOptions) => {
      // The schema of the RunSpec takes longer to load than all the rest, and only this command needs it.
      const { runCommand } = await import('./run-command.ts');
      finish(await runCommand(context, spec, options));
    });

  program
    .command('status')
    .description('show the progress of a run, or its report when it is over')
    .argument('<id>', 'id of the run')
    .option('--wait', 'show the progress until the end')
    .option('--json', 'one line of JSON')
    .action(async (id: string, options: { json?: boolean; wait?: boolean }) =>
      finish(await statusCommand(context, id, options)),
    );

  program
    .command('list')
    .description('list runs, newest first')
    .addOption(
      new Option('--status <status>', 'only these').choices(['running', 'paused', 'completed', 'failed', 'cancelled']),
    )
    .option('--pipeline <name>', 'only runs of this pipeline')
    .option('--before <id>', 'only runs older than this one')
    .option('--limit <n>', 'how many, 1 to 200', wholeNumber(1, 200), 20)
    .option('--json', 'one line of JSON')
    .action(async (options: ListOptions) => finish(await listCommand(context, options)));

  for (const [verb, description] of [
    ['cancel', 'end a run'],
    ['pause', 'stop the work of a run at its next checkpoint'],
    ['resume', 'go on with a paused run'],
  ] as const) {
    const command = program.command(verb).description(description).argument('<id>', 'id of the run');
    if (verb === 'cancel') command.option('--wait', 'until it is over; exit code 1 when it ended otherwise');
    command
      .option('--json', 'one line of JSON')
      .action(async (id: string, options: SteeringOptions) =>
        finish(await steeringCommand(context, verb, id, options)),
      );
  }

  program
    .command('models')
    .description('list the registered models, or show one with its versions')
    .argument('[name]', 'name of a model')
    .option('--json', 'one line of JSON')
    .action(async (name: string | undefined, options: { json?: boolean }) =>
      finish(await modelsCommand(context, name, options)),
    );

  addDeploymentCommands(program, context, finish);

  const algorithm = program.command('algorithm').description('show algorithms, and hold one to the contract');
  algorithm
    .command('list')
    .description('list the algorithms, or the hyperparameters of one')
    .argument('[name]', 'name of an algorithm, or path of a module with one')
    .option('--json', 'one line of JSON')
    .action(async (name: string | undefined, options: { json?: boolean }) =>
      finish(await algorithmListCommand(context, name, options)),
    );
  algorithm
    .command('check')
    .description('hold an algorithm to the contract, rule by rule; exit code 1 when one is broken')
    .argument('<name>', 'name of an algorithm, or path of a module with one')
    .option('--hyperparameters <json>', 'with which it learns within some hundred steps')
    .option('--json', 'one line of JSON')
    .action(async (name: string, options: AlgorithmCheckCommandOptions) =>
      finish(await algorithmCheckCommand(context, name, options)),
    );

  const environment = program
    .command('env')
    .description('show environments, and hold one to the contract and the lint');
  environment
    .command('list')
    .description('list the environments, or show one with its parameters')
    .argument('[name]', 'name of an environment, or path of a module with one')
    .option('--json', 'one line of JSON')
    .action(async (name: string | undefined, options: { json?: boolean }) =>
      finish(await environmentListCommand(context, name, options)),
    );
  environment
    .command('check')
    .description('hold an environment to its contract, and look for what an agent would learn badly from')
    .argument('<name>', 'name of an environment, or path of a module with one')
    .option('--parameters <json>', 'parameters of the environment')
    .option('--steps <n>', 'steps that the lint plays, 100 to 1000000', wholeNumber(100, 1_000_000), 2000)
    .option('--seed <n>', 'everything random in the check follows from it', wholeNumber(0, 4_294_967_295), 1)
    .option('--strict', 'exit code 1 also when the lint finds something that nobody has accepted')
    .option('--json', 'one line of JSON')
    .action(async (name: string, options: EnvironmentCheckCommandOptions) =>
      finish(await environmentCheckCommand(context, name, options)),
    );
  addTwinCommands(program, context, finish);
  return program;
}

const twinExamples = `
It reads the namespace's pods and changes nothing. /metrics has the series of Istio, cAdvisor and kube-state-metrics, as
Prometheus would find them in a mesh. docs/guides/twin-load.md

Examples:
  $ coxswain twin manifests --namespace shop --replicas-for 60 | kubectl apply -f -
  $ coxswain twin --namespace shop --rate 60
  $ coxswain twin --namespace shop --flash-crowd peak=3,at=120,minutes=5 --speed 10
  $ coxswain twin --namespace shop --trace requests.csv --bin 60 --control-port 9465`;

/** `coxswain twin` and what belongs to it. */
function addTwinCommands(program: Command, context: CommandContext, finish: (code: number) => void): void {
  const twin = program
    .command('twin')
    .description('play a load on the real workloads of a namespace, and serve the series of a mesh')
    .enablePositionalOptions()
    .option('-n, --namespace <name>', 'where the workloads are; must be given')
    .option('--kubeconfig <path>', 'default: that of the environment')
    .option('--context <name>', 'context of the kubeconfig; default: its current one')
    .option('--application <file>', 'JSON of an application or of a fitted twin; default: online-boutique')
    .option('--rate <n>', 'constant load, requests/s; default without a trace or generator: 60', rateOption('--rate'))
    .option('--trace <file>', 'CSV with one row a bin; after its end it begins again')
    .option('--trace-column <header>', 'column with the requests; default: the last one')
    .option('--bin <seconds>', 'length of a bin of the trace', numberOption('--bin', 1, 86_400), 15)
    .option('--generator <json>', 'generated traffic: fields of collect.source in a RunSpec')
    .option('--scale <factor>', 'multiplies the load', numberOption('--scale', 0, 1_000_000), 1)
    .option('--flash-crowd <peak=3,at=120,minutes=5>', 'multiplies the load for a while; may be repeated', collect)
    .option('--seed <n>', 'of the arrivals', wholeNumber(0, 4_294_967_295), 1)
    .option('--speed <factor>', 'simulated seconds a second', speedOption, 1)
    .option('--no-startup', 'pods serve as soon as the cluster says that they are ready')
    .option('--slo <seconds>', 'a slower request is a violation', numberOption('--slo', 0.001, 3_600), 0.5)
    .option('--ingress <namespace/name>', 'gateway that users’ requests pass; default: they come from outside')
    .option('--host <address>', 'where /metrics is served', '127.0.0.1')
    .option('--port <n>', 'of /metrics; 0 = a free one', wholeNumber(0, 65_535), 9464)
    .option('--control-port <n>', 'serve POST /load on 127.0.0.1; 0 = a free one', wholeNumber(0, 65_535))
    .option('--json', 'one line of JSON with the addresses')
    .addHelpText('after', twinExamples)
    .action(async (options: TwinOptions) => {
      const { twinCommand } = await import('./twin-command.ts');
      finish(await twinCommand(context, options));
    });
  twin
    .command('manifests')
    .description('print the Kubernetes objects of the application as YAML')
    .option('-n, --namespace <name>', 'where they belong', 'online-boutique')
    .option('--application <file>', 'JSON of an application or of a fitted twin; default: online-boutique')
    .option('--image <name>', 'of the containers, which only sleep', 'busybox:1.37')
    .option('--replicas-for <n>', 'as many as this load needs, requests/s', rateOption('--replicas-for'))
    .option('--speed <factor>', 'of the twin: start-up is as much shorter', speedOption, 1)
    .option('--disruption-budgets', 'with a PodDisruptionBudget for each service')
    .action(async (options: TwinManifestsOptions) => {
      const { twinManifestsCommand } = await import('./twin-manifests-command.ts');
      finish(await twinManifestsCommand(context, options));
    });
}

function rateOption(option: string): (text: string) => number {
  return numberOption(option, 0, 1_000_000);
}

function errorText(error: unknown, json: boolean): string {
  const { code, message } = toCoxswainError(error);
  if (json) return `${JSON.stringify({ error: { code, message } })}\n`;
  return `coxswain: ${code}: ${message}${adviceFor(error)}\n`;
}

function adviceFor(error: unknown): string {
  if (!(error instanceof CoxswainError)) return '';
  if (error.code === 'TEMPORAL_UNAVAILABLE') return '\nStart everything with `coxswain up`, or set TEMPORAL_ADDRESS.';
  if (error.code === 'STORE_UNAVAILABLE') return '\nStart everything with `coxswain up`, or set MONGODB_URL.';
  return '';
}
