import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, retryTakenPort } from './free-port.ts';
import type { OwnedProgram } from './owned-program.ts';
import { startOwnedProgram } from './owned-program.ts';
import { untilReady } from './readiness.ts';

/** What Prometheus asks for metrics. */
export interface Scrape {
  /** The label `job` of its series. */
  readonly job: string;
  /** `host:port` of each. */
  readonly targets: readonly string[];
  readonly intervalSeconds: number;
  /** `/metrics` by default. */
  readonly path?: string;
  /** Path of a file with the token that the targets want; read again at each scrape. */
  readonly bearerTokenFile?: string;
}

/** Where a local Prometheus runs and what it collects. */
export interface PrometheusOptions {
  /** Absolute path of `prometheus`. */
  readonly program: string;
  /** Holds prometheus/ (its data), prometheus.json (its configuration), logs/ and records/. */
  readonly dataFolder: string;
  readonly scrape: readonly Scrape[];
  /** How long samples are kept; 1 day by default. */
  readonly retentionHours?: number;
  /** How old a series' last sample may be before the series counts as gone; {@link lookbackIntervals} by default. */
  readonly lookbackSeconds?: number;
  /** Free ones are looked for by default. */
  readonly port?: number;
}

/** A local Prometheus that answers. `kill` and `restart` keep its port and its data. */
export interface PrometheusServer {
  /** What comes before `/api/v1`. */
  readonly url: string;
  /** The program as it runs now. */
  program(): OwnedProgram;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Ends it in good order when it still runs, and starts it again; resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it; the data stay. */
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;

/**
 * A series counts as gone when it has had no sample for so many scrape intervals, and not only after Prometheus's own five
 * minutes: one that vanished must not look alive for as long as a whole demonstration takes.
 */
const lookbackIntervals = 5;

/** Starts Prometheus on loopback. Resolves when it answers; throws with the end of its log when it does not in a minute. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  mkdirSync(options.dataFolder, { recursive: true });
  const { program: first, port } = await retryTakenPort(async () => {
    const [port] = options.port === undefined ? await freePorts([undefined]) : [options.port];
    return { program: await start(options, port), port };
  });
  let program = first;
  return {
    url: `http://127.0.0.1:${port}`,
    program: () => program,
    kill: () => program.kill(),
    restart: async () => {
      await program.stop();
      program = await start(options, port);
    },
    stop: () => program.stop(),
  };
}

async function start(options: PrometheusOptions, port: number): Promise<OwnedProgram> {
  const { dataFolder } = options;
  const configFile = join(dataFolder, 'prometheus.json');
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify(configurationOf(options.scrape), null, 2));
  const program = await startOwnedProgram({
    name: 'prometheus',
    command: options.program,
    args: serverArguments(options, configFile, port),
    workingFolder: dataFolder,
    logFile: join(dataFolder, 'logs', 'prometheus.log'),
    recordsFolder: join(dataFolder, 'records'),
  });
  try {
    await untilReady('Prometheus', program, () => isReady(port), startTimeoutMs);
  } catch (error) {
    await program.kill();
    throw error;
  }
  return program;
}

function serverArguments(options: PrometheusOptions, config: string, port: number) {
  const { dataFolder, scrape, retentionHours = 24 } = options;
  const slowest = Math.max(1, ...scrape.map(({ intervalSeconds }) => intervalSeconds));
  const { lookbackSeconds = lookbackIntervals * slowest } = options;
  return [
    ...[`--config.file=${config}`, `--storage.tsdb.path=${join(dataFolder, 'prometheus')}`],
    ...[`--web.listen-address=127.0.0.1:${port}`, `--storage.tsdb.retention.time=${retentionHours}h`],
    ...[`--query.lookback-delta=${Math.ceil(lookbackSeconds)}s`, '--log.level=warn'],
  ];
}

/** The configuration file's content. */
function configurationOf(scrape: readonly Scrape[]) {
  return {
    global: { scrape_timeout: '1s', scrape_interval: '1s' },
    scrape_configs: scrape.map(({ job, targets, intervalSeconds, path, bearerTokenFile }) => ({
      job_name: job,
      scrape_interval: duration(intervalSeconds),
      // Prometheus wants it no longer than the interval.
      scrape_timeout: duration(Math.min(intervalSeconds, 5)),
      metrics_path: path ?? '/metrics',
      ...(bearerTokenFile === undefined
        ? {}
        : { authorization: { type: 'Bearer', credentials_file: bearerTokenFile } }),
      static_configs: [{ targets }],
    })),
  };
}

function duration(seconds: number): string {
  return `${Math.round(seconds * 1000)}ms`;
}

async function isReady(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/-/ready`, { signal: AbortSignal.timeout(1_000) });
  await answer.arrayBuffer();
  return answer.ok;
}
