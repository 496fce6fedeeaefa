import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClusterState, ClusterWorkload, PodState } from '../../src/contracts/cluster.ts';
import type { Application, ServiceParameters } from '../../src/rl/environments/online-boutique/application.ts';
import { compileTopology } from '../../src/rl/environments/online-boutique/topology.ts';
import { Generator } from '../../src/rl/random.ts';
import { Exposition } from '../../src/twin-load/exposition.ts';
import { writeObjectSeries } from '../../src/twin-load/object-series.ts';
import { PlayedApplication } from '../../src/twin-load/played-application.ts';
import { PodLedger } from '../../src/twin-load/pod-ledger.ts';
import { PodSeries } from '../../src/twin-load/pod-series.ts';
import { swing } from '../unit/rl/twin/record-application.ts';

/** Which application was scraped, and when. */
export interface MeshHistory {
  readonly application: Application;
  readonly namespace: string;
  /** Beginning and end, seconds since 1970, on the grid of the bins. */
  readonly begin: number;
  readonly end: number;
  /** Mean of the swinging load, requests/s. */
  readonly requestsPerSecond: number;
  /** How long it goes on after the end, so that the last rate is known. */
  readonly trailSeconds: number;
}

/** Between two scrapes. */
export const historyBinSeconds = 15;
const stepSeconds = 5;
/** Before the beginning, so that the first rate is known and queues have settled. */
const leadSeconds = 600;
/** By which the autoscaler is behind the load. */
const lagSeconds = 120;

/** A cluster whose autoscaler keeps 60 % utilisation, two minutes behind the rate. */
class ScaledCluster {
  readonly #history: MeshHistory;
  readonly #visits: ArrayLike<number>;
  readonly #pods = new Map<string, PodState[]>();
  #born = 0;

  constructor(history: MeshHistory) {
    this.#history = history;
    this.#visits = compileTopology(history.application).visits;
  }

  stateAt(seconds: number, rate: number): ClusterState {
    const workloads = this.#history.application.services.map((service, s) => {
      const wanted = Math.ceil((rate * this.#visits[s] * service.serviceSeconds) / (0.6 * service.serversPerPod));
      const pods = this.#pods.get(service.name) ?? [];
      const replicas = Math.max(service.minReplicas, Math.min(service.maxReplicas, wanted));
      while (pods.length < replicas) pods.push(this.#newPod(service, seconds));
      pods.length = replicas;
      const aged = pods.map((pod): PodState => {
        const readySeconds = pod.createdAt.getTime() / 1000 + service.startupSeconds;
        return seconds < readySeconds ? pod : { ...pod, ready: true, readyAt: new Date(1000 * readySeconds) };
      });
      this.#pods.set(service.name, aged);
      return this.#workloadOf(service, replicas, aged.filter(({ ready }) => ready).length);
    });
    const pods = [...this.#pods.values()].flat();
    return { at: new Date(1000 * seconds), nodes: [], workloads, pods, podsLeft: {}, events: [], gaps: [] };
  }

  #newPod({ name, startupSeconds }: ServiceParameters, seconds: number): PodState {
    const { namespace, begin } = this.#history;
    // The first pods are there and ready from before the history on.
    const createdSeconds = seconds === begin - leadSeconds ? seconds - startupSeconds - 10_000 : seconds;
    return {
      ...{
        name: `${name}-5d8f9c7b4-${suffixOf(this.#born++)}`,
        namespace,
        workload: `${namespace}/${name}`,
        node: 'n1',
      },
      ...{ phase: 'Running', ready: false, terminating: false, readyAt: null, cpuMillicores: null, memoryBytes: null },
      createdAt: new Date(1000 * createdSeconds),
    };
  }

  #workloadOf(service: ServiceParameters, replicas: number, readyReplicas: number): ClusterWorkload {
    return {
      ...{ workload: `${this.#history.namespace}/${service.name}`, kind: 'Deployment', uid: service.name },
      ...{ resourceVersion: '1', replicas, readyReplicas },
      ...{ cpuRequestMillicores: service.cpuRequestMillicores, cpuLimitMillicores: null },
      ...{ memoryRequestBytes: 64 * 2 ** 20, memoryLimitBytes: 128 * 2 ** 20, owner: null, disruptionsAllowed: null },
      autoscaler: { minReplicas: service.minReplicas, maxReplicas: service.maxReplicas },
      scaledAt: null,
    };
  }
}

/** The five letters that Kubernetes ends a pod's name with. */
function suffixOf(number: number): string {
  const letters = 'bcdfghjklm';
  return Array.from(String(number).padStart(5, '0'), (digit) => letters[Number(digit)]).join('');
}

/**
 * Plays an application and writes what a Prometheus that scrapes every 15 s would have got, as OpenMetrics.
 * @returns the cluster at the end.
 */
export async function writeMeshHistory(file: string, history: MeshHistory): Promise<ClusterState> {
  const { application, namespace, begin, end, requestsPerSecond, trailSeconds } = history;
  const cluster = new ScaledCluster(history);
  const ledger = new PodLedger({ namespace, services: application.services, playStartup: false, speed: 1 });
  const played = new PlayedApplication(application, {
    ...{ namespace, ingress: null, sloSeconds: 0.5, speed: 1, generator: new Generator(7) },
  });
  const podSeries = new PodSeries();
  const load = swing(requestsPerSecond);
  const rateAt = (seconds: number): number => load(Math.max(0, seconds - begin) / historyBinSeconds);
  const stream = createWriteStream(file);
  let state = cluster.stateAt(begin - leadSeconds, rateAt(begin));
  for (let at = begin - leadSeconds; at < end + trailSeconds; at += stepSeconds) {
    if (at % historyBinSeconds === 0) state = cluster.stateAt(at, rateAt(at - lagSeconds));
    ledger.read(state, 1000 * at);
    ledger.refresh(1000 * at);
    played.play(rateAt(at), ledger);
    // Scrapes are not on the grid of the bins.
    if (at % historyBinSeconds !== 5) continue;
    const exposition = new Exposition();
    played.mesh.write(exposition, 1);
    podSeries.write(exposition, ledger.pods, 1);
    writeObjectSeries(exposition, ledger);
    const lines = exposition
      .toString()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => `${line} ${at + stepSeconds - 0.8}\n`);
    if (!stream.write(lines.join(''))) await once(stream, 'drain');
  }
  stream.end('# EOF\n');
  await once(stream, 'finish');
  return state;
}

/** Gives the Prometheus that will be started on `dataFolder` a history. */
export async function importHistory(promtool: string, file: string, dataFolder: string): Promise<void> {
  const create = ['tsdb', 'create-blocks-from', 'openmetrics', file, join(dataFolder, 'prometheus')];
  await promisify(execFile)(promtool, create, { maxBuffer: 1 << 26 });
}
