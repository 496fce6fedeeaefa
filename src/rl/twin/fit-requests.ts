import type { ClusterRecording } from '../../contracts/cluster-metrics.ts';
import type { BinRange } from '../../contracts/stores.ts';
import type { Application, RequestParameters } from '../environments/online-boutique/application.ts';
import { callTree } from './call-graph.ts';
import type { CallGraph } from './call-graph.ts';
import type { FittedService } from './fit-service.ts';
import { judgeP95 } from './judge.ts';
import { replay } from './replay.ts';

/** The services with the users' requests to them. */
export interface FittedRequests {
  readonly services: readonly FittedService[];
  readonly requests: readonly RequestParameters[];
}

/** How the tail of the latencies comes about. */
interface Tail {
  readonly serviceScv: number;
  /** By which share the lighter requests make fewer calls; the heavier make as many more as keeps the mean. */
  readonly spread: number;
  /** Share of the lighter requests. */
  readonly lightShare: number;
}

const lightShares = [0.25, 0.5, 0.75];
/** What is tried, the plain one first: less varied services, then requests that differ more and more. */
const tails: readonly Tail[] = [
  ...[1, 0.5, 0.25, 0.1].map((serviceScv) => ({ serviceScv, spread: 0, lightShare: 0.5 })),
  ...[0.15, 0.3, 0.45, 0.6, 0.75, 0.9].flatMap((spread) =>
    lightShares.map((lightShare) => ({ serviceScv: 1, spread, lightShare })),
  ),
];
/** Bins that they are tried on, from the middle of the range. */
const BINS = 480;
/** What is less plain has to be better by this. */
const WORTHWHILE = 0.98;

/**
 * The users' requests. A mean call graph says how many calls an average request makes, not how they are spread over kinds
 * of requests; and mean latencies do not say how much service times vary. Both show in the users' 95th percentile: so
 * that service times' squared coefficient of variation (one for all services), or two kinds of requests whose calls
 * differ by one factor, is taken with which a replay comes nearest to it. Without a recorded percentile: exponential
 * service times and one kind.
 * @param servicesWith the services with a squared coefficient of variation.
 */
export function fitRequests(
  servicesWith: (serviceScv: number) => readonly FittedService[],
  graph: CallGraph,
  recording: ClusterRecording,
  range: BinRange,
): FittedRequests {
  const middle = Math.max(range.from, Math.floor((range.from + range.to - BINS) / 2));
  const bins = { from: middle, to: Math.min(range.to, middle + BINS) };
  let best: FittedRequests | null = null;
  let least = Infinity;
  for (const tail of tails) {
    const services = servicesWith(tail.serviceScv);
    const application = applicationWith(services, graph, tail);
    const candidate = { services, requests: application.requests };
    const error = judgeP95(replay(application, recording, bins), recording);
    if (error === null) return best ?? candidate;
    if (best !== null && error >= WORTHWHILE * least) continue;
    best = candidate;
    least = error;
  }
  return best!; // there is at least one tail
}

function applicationWith(services: readonly FittedService[], graph: CallGraph, tail: Tail): Application {
  const parameters = services.map((service) => service.parameters);
  const names = parameters.map(({ name }) => name);
  const { spread, lightShare } = tail;
  if (spread === 0) {
    return { services: parameters, requests: [{ name: 'average', weight: 1, call: callTree(graph, names) }] };
  }
  const heavyShare = 1 - lightShare;
  const light = 1 - spread;
  const heavy = 1 + (spread * lightShare) / heavyShare;
  return {
    services: parameters,
    requests: [
      { name: 'light', weight: lightShare, call: callTree(graph, names, 0, () => light) },
      { name: 'heavy', weight: heavyShare, call: callTree(graph, names, 0, () => heavy) },
    ],
  };
}
