import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterReader } from '../contracts/cluster.ts';
import type { Application } from '../rl/environments/online-boutique/application.ts';
import { SUB_STEP_SECONDS } from '../rl/environments/online-boutique/simulation.ts';
import { Generator } from '../rl/random.ts';
import { ClusterWatch, nowMs } from './cluster-watch.ts';
import { controlRoutes } from './control-routes.ts';
import { Exposition, expositionType } from './exposition.ts';
import { GroundTruth } from './ground-truth.ts';
import type { StepTruth, Totals } from './ground-truth.ts';
import { jsonReply, serve } from './http-server.ts';
import type { ListeningServer, Routes } from './http-server.ts';
import type { Load } from './load.ts';
import type { MeshOptions } from './mesh-series.ts';
import { writeObjectSeries } from './object-series.ts';
import { PlayedApplication } from './played-application.ts';
import { maxPods, PodLedger } from './pod-ledger.ts';
import { PodSeries } from './pod-series.ts';
import { StepClock } from './step-clock.ts';
import { writeTwinSeries } from './twin-series.ts';

/** What is played, on what, and how fast. */
export interface TwinLoadOptions {
  readonly reader: ClusterReader;
  /** Where the application's workloads are; a service's workload has its name. */
  readonly namespace: string;
  /** Validated. */
  readonly application: Application;
  readonly load: Load;
  /** Of the arrivals. Default 1. */
  readonly seed?: number;
  /** Simulated seconds a second, 0.1 … 60. Default 1. */
  readonly speed?: number;
  /** Let a pod serve only when its start-up delay is over. Default true. */
  readonly playStartup?: boolean;
  /** A request slower than this violates the SLO. Default 0.5. */
  readonly sloSeconds?: number;
  /** A gateway that users' requests pass. Default: none, they come from `unknown`. */
  readonly ingress?: MeshOptions['ingress'];
  /** Where /metrics is served. Default 127.0.0.1. */
  readonly host?: string;
  /** 0 = a free one. Default 0. */
  readonly port?: number;
  /** Port on 127.0.0.1 of the controls; 0 = a free one, null = none. Default null. */
  readonly controlPort?: number | null;
  /** Time between two readings of the cluster, seconds. Default 1, or a step if that is shorter, but at least 0.2. */
  readonly pollSeconds?: number;
  /** Takes sentences for people. */
  readonly notice?: (sentence: string) => void;
}

/** What the twin knows of itself; plain JSON. */
export interface TwinState {
  readonly namespace: string;
  readonly speed: number;
  /** Simulated, since the beginning. */
  readonly seconds: number;
  /** What users send at this moment. */
  readonly requestsPerSecond: number;
  readonly sloSeconds: number;
  /** Simulated, since the beginning: at speed k the series have counted a k-th of them. */
  readonly totals: Readonly<Totals>;
  readonly services: readonly ServiceState[];
  /** The last simulated two hours, oldest first. */
  readonly steps: readonly StepTruth[];
  readonly cluster: { readonly readAt: string; readonly error: string | null };
  /** Time in which the machine slept and nothing was played. */
  readonly skippedSeconds: number;
}

/** A service of the application. */
export interface ServiceState {
  readonly service: string;
  /** Replicas asked for; null = the cluster has no such workload. */
  readonly replicas: number | null;
  readonly pods: number;
  readonly servingPods: number;
  /** Mean wait of a call, seconds. */
  readonly waitSeconds: number;
}

/** A pod, and what is played on it. */
export interface PodUse {
  readonly pod: string;
  /** Service of the application; null = none. */
  readonly service: string | null;
  readonly serving: boolean;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

/** A twin that plays. */
export interface TwinLoad {
  /** `http://host:port/metrics` */
  readonly metricsUrl: string;
  /** `http://127.0.0.1:port`; null without controls. */
  readonly controlUrl: string | null;
  readonly load: Load;
  state(): TwinState;
  /** What each pod uses, as a metrics server would say. */
  pods(): PodUse[];
  /** What a scrape sees. */
  metrics(): string;
  /** Ends it; may be called twice. */
  stop(): Promise<void>;
}

/**
 * Plays a load on the real workloads of a namespace, in real time, and serves the series that Istio, cAdvisor and
 * kube-state-metrics would have. It reads the cluster and changes nothing there. Ends by `stop` or with `signal`.
 * @throws CoxswainError CLUSTER_UNAVAILABLE or CLUSTER_REFUSED when the cluster cannot be read at the beginning,
 * CONFIG_INVALID when it cannot listen.
 */
export async function startTwinLoad(options: TwinLoadOptions, signal?: AbortSignal): Promise<TwinLoad> {
  const ending = new AbortController();
  const twin = new Twin(options);
  const ended = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal;
  await twin.readFirst(ended);
  const servers: ListeningServer[] = [];
  const stop = async (): Promise<void> => {
    ending.abort();
    await Promise.all(servers.map((server) => server.close()));
    await running;
  };
  let running: Promise<unknown> = Promise.resolve();
  try {
    const { host = '127.0.0.1', port = 0, controlPort = null } = options;
    servers.push(await serve(twin.routes(), { host, port }));
    if (controlPort !== null) {
      const routes = { ...twin.routes(), ...controlRoutes(options.load, twin) };
      servers.push(await serve(routes, { host: '127.0.0.1', port: controlPort, loopbackOnly: true }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  running = twin.run(ended);
  signal?.addEventListener('abort', () => void stop(), { once: true });
  return {
    metricsUrl: `${servers[0].url}/metrics`,
    controlUrl: servers[1]?.url ?? null,
    load: options.load,
    state: () => twin.state(),
    pods: () => twin.pods(),
    metrics: () => twin.metrics(),
    stop,
  };
}

/** The parts at work together. */
class Twin {
  readonly #options: TwinLoadOptions;
  readonly #speed: number;
  readonly #sloSeconds: number;
  readonly #ledger: PodLedger;
  readonly #played: PlayedApplication;
  readonly #truth: GroundTruth;
  readonly #podSeries = new PodSeries();
  readonly #clock: StepClock;
  readonly #watch: ClusterWatch;
  #readAtMs = 0;
  #missing: ReadonlySet<string> = new Set();
  #ignored = 0;

  constructor(options: TwinLoadOptions) {
    const { application, namespace, speed = 1, playStartup = true, sloSeconds = 0.5, seed = 1 } = options;
    this.#options = options;
    this.#speed = speed;
    this.#sloSeconds = sloSeconds;
    this.#ledger = new PodLedger({ namespace, services: application.services, playStartup, speed });
    const generator = new Generator(seed);
    const mesh = { namespace, ingress: options.ingress ?? null };
    this.#played = new PlayedApplication(application, { ...mesh, sloSeconds, speed, generator });
    this.#truth = new GroundTruth(application.requests.length);
    const stepMs = (1000 * SUB_STEP_SECONDS) / speed;
    this.#clock = new StepClock(stepMs, nowMs());
    const pollMs = 1000 * (options.pollSeconds ?? Math.max(0.2, Math.min(1, stepMs / 1000)));
    this.#watch = new ClusterWatch(options.reader, namespace, pollMs, {
      state: (state, receivedAtMs) => {
        this.#readAtMs = receivedAtMs;
        this.#ledger.read(state, receivedAtMs);
        this.#ledger.refresh(receivedAtMs);
      },
      notice: (sentence) => this.#notice(sentence),
    });
  }

  /** Simulated seconds since the beginning. */
  get seconds(): number {
    return this.#truth.seconds;
  }

  async readFirst(signal: AbortSignal): Promise<void> {
    await this.#watch.readOnce(signal);
  }

  /** Plays until `signal` is aborted. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const watching = this.#watch.run(signal);
    while (!signal.aborted) {
      this.#playDue(nowMs());
      await sleep(this.#clock.untilNext(nowMs()), undefined, { signal }).catch(() => undefined);
    }
    await watching;
  }

  routes(): Routes {
    return {
      'GET /metrics': () => ({ type: expositionType, body: this.metrics() }),
      'GET /state': () => jsonReply(this.state()),
      'GET /pods': () => jsonReply({ pods: this.pods() }),
      'GET /healthz': () => jsonReply({ status: 'ok' }),
    };
  }

  metrics(): string {
    const now = nowMs();
    const share = this.#clock.share(now);
    const exposition = new Exposition();
    this.#played.mesh.write(exposition, share);
    this.#podSeries.write(exposition, this.#ledger.pods, share);
    writeObjectSeries(exposition, this.#ledger);
    writeTwinSeries(exposition, this.#truth, (now - this.#readAtMs) / 1000);
    return exposition.toString();
  }

  state(): TwinState {
    const { namespace, application, load } = this.#options;
    return {
      namespace,
      speed: this.#speed,
      seconds: this.seconds,
      requestsPerSecond: load.rateAt(this.seconds),
      sloSeconds: this.#sloSeconds,
      totals: { ...this.#truth.totals },
      services: application.services.map(({ name }, s) => ({
        service: name,
        replicas: this.#ledger.workloadOf(s)?.replicas ?? null,
        pods: this.#ledger.existing[s],
        servingPods: this.#ledger.serving[s],
        waitSeconds: this.#played.simulation.waitSeconds[s],
      })),
      steps: [...this.#truth.steps],
      cluster: { readAt: new Date(this.#readAtMs).toISOString(), error: this.#watch.error },
      skippedSeconds: this.#clock.skippedMs / 1000,
    };
  }

  pods(): PodUse[] {
    const { services } = this.#options.application;
    return Array.from(this.#ledger.pods, ({ state, service, servingSinceMs, cpuMillicores, memoryBytes }) => ({
      pod: state.name,
      service: service === null ? null : services[service].name,
      serving: servingSinceMs !== null,
      cpuMillicores,
      memoryBytes,
    }));
  }

  #playDue(now: number): void {
    for (let due = this.#clock.take(now); due > 0; due--) {
      this.#ledger.refresh(now);
      const middle = this.seconds + SUB_STEP_SECONDS / 2;
      this.#truth.add(this.#played.play(this.#options.load.rateAt(middle), this.#ledger));
    }
    this.#tellChanges();
  }

  #tellChanges(): void {
    const { ignored } = this.#ledger;
    if (ignored > 0 && this.#ignored === 0) {
      this.#notice(`The namespace has ${maxPods + ignored} pods; the last ${ignored} are left out of load and series.`);
    }
    this.#ignored = ignored;
    const missing = new Set(this.#played.missingServices);
    const gone = [...missing].filter((name) => !this.#missing.has(name));
    const back = [...this.#missing].filter((name) => !missing.has(name));
    if (gone.length > 0) this.#notice(`No pod serves ${gone.join(', ')}: calls there are refused.`);
    if (back.length > 0) this.#notice(`Served again: ${back.join(', ')}.`);
    this.#missing = missing;
  }

  #notice(sentence: string): void {
    this.#options.notice?.(sentence);
  }
}
