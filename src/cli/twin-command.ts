import { readFile } from 'node:fs/promises';
import { CoxswainError } from '../contracts/errors.ts';
import type { Application } from '../rl/environments/online-boutique/application.ts';
import { onlineBoutiqueApplication } from '../rl/environments/online-boutique/online-boutique-application.ts';
import { Load, traceProfile } from '../twin-load/load.ts';
import type { FlashCrowd, RateProfile } from '../twin-load/load.ts';
import { parseApplication } from '../twin-load/parse-application.ts';
import { readTrace } from '../twin-load/read-trace.ts';
import { startTwinLoad } from '../twin-load/twin-load.ts';
import type { TwinLoad } from '../twin-load/twin-load.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { jsonObject } from './json-option.ts';
import { flashCrowdOption, ingressOption } from './twin-options.ts';

/** Options of `coxswain twin`. */
export interface TwinOptions {
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly application?: string;
  readonly rate?: number;
  readonly trace?: string;
  readonly traceColumn?: string;
  readonly bin: number;
  readonly generator?: string;
  readonly scale: number;
  readonly flashCrowd?: readonly string[];
  readonly seed: number;
  readonly speed: number;
  /** False with `--no-startup`. */
  readonly startup: boolean;
  readonly slo: number;
  readonly ingress?: string;
  readonly host: string;
  readonly port: number;
  readonly controlPort?: number;
  readonly json?: boolean;
}

/** Rate when nothing is said of the load, requests/s: the mean of the generator. */
const defaultRate = 60;

/** Plays a load on the workloads of a namespace until Ctrl-C. @returns the exit code */
export async function twinCommand(context: CommandContext, options: TwinOptions): Promise<number> {
  const { interrupted, errors, output } = context;
  const { namespace, kubeconfig = null, context: contextName = null } = options;
  if (namespace === undefined) throw usageError('Say where the workloads are: --namespace <name>.');
  const load = await loadOf(options, interrupted);
  const application = await applicationOf(options.application);
  const ingress = options.ingress === undefined ? null : ingressOption(options.ingress);
  const reader = await context.openCluster({ kubeconfig, context: contextName, namespaces: [namespace] });
  const twin = await startTwinLoad(
    {
      reader,
      namespace,
      application,
      load,
      ingress,
      seed: options.seed,
      speed: options.speed,
      playStartup: options.startup,
      sloSeconds: options.slo,
      host: options.host,
      port: options.port,
      controlPort: options.controlPort ?? null,
      notice: (sentence) => errors.write(`${sentence}\n`),
    },
    interrupted,
  );
  try {
    output.write(options.json ? jsonLine(twin) : greeting(twin, namespace, options));
    if (twin.state().services.every(({ replicas }) => replicas === null))
      errors.write(emptyNamespace(namespace, options));
    await aborted(interrupted);
  } finally {
    await twin.stop();
  }
  return exitCodes.done;
}

/** The application that an option names; Online Boutique without one. @throws CoxswainError ENVIRONMENT_INVALID */
export async function applicationOf(path: string | undefined): Promise<Application> {
  if (path === undefined || path === 'online-boutique') return onlineBoutiqueApplication;
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const message = `application ${path}: cannot be read (${error.code}); allowed: online-boutique, or the path of a JSON file`;
    throw new CoxswainError('ENVIRONMENT_INVALID', message);
  });
  return parseApplication(text, path);
}

async function loadOf(options: TwinOptions, signal: AbortSignal): Promise<Load> {
  const given = (['rate', 'trace', 'generator'] as const).filter((name) => options[name] !== undefined);
  if (given.length > 1) throw usageError(`Give one of ${given.map((name) => `--${name}`).join(' and ')}, not both.`);
  const profile = await profileOf(options, signal);
  const crowds: FlashCrowd[] = (options.flashCrowd ?? []).map(flashCrowdOption);
  return new Load((atSeconds) => options.scale * profile(atSeconds), crowds);
}

async function profileOf(options: TwinOptions, signal: AbortSignal): Promise<RateProfile> {
  const { trace, traceColumn = null, bin, generator, rate = defaultRate } = options;
  if (trace !== undefined) return traceProfile(await readTrace(trace, traceColumn, signal), bin);
  return generator === undefined ? () => rate : generatedProfile(generator, options.seed);
}

/** Bins of generated traffic: those of recordings. */
const generatedBinSeconds = 15;

async function generatedProfile(text: string, seed: number): Promise<RateProfile> {
  const source = jsonObject('--generator', text, '{"meanRequestsPerSecond": 60, "flashCrowdsPerDay": 24}');
  // The schema of the RunSpec takes longer to load than all the rest.
  const { parseRunSpec } = await import('../spec/run-spec.ts');
  const { generateArrivals } = await import('../recordings/generator.ts');
  const spec = parseRunSpec({ version: 1, name: 'twin', collect: { source: { ...source, kind: 'generator' } } });
  const parsed = spec.collect.source;
  if (parsed.kind !== 'generator') throw usageError('--generator: expected the fields of a generator.');
  return traceProfile(generateArrivals(parsed, generatedBinSeconds, seed), generatedBinSeconds);
}

function jsonLine({ metricsUrl, controlUrl }: TwinLoad): string {
  return `${JSON.stringify({ metricsUrl, controlUrl })}\n`;
}

function greeting({ metricsUrl, controlUrl }: TwinLoad, namespace: string, { speed }: TwinOptions): string {
  const fast = speed === 1 ? '' : `, ${speed} times as fast as real`;
  const controls = controlUrl === null ? '' : `\nControls: ${controlUrl} (POST /load, POST /flash-crowd, GET /state)`;
  return `Playing on namespace ${namespace}${fast}. Stop with Ctrl-C.\nMetrics: ${metricsUrl}${controls}\n`;
}

function emptyNamespace(namespace: string, { application }: TwinOptions): string {
  const more = application === undefined ? '' : ` --application ${application}`;
  return (
    `Namespace ${namespace} has no workload of the application yet. Create them with:\n` +
    `  coxswain twin manifests --namespace ${namespace}${more} | kubectl apply -f -\n`
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
