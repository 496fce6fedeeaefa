import type { SpaceRow } from '../../environment.ts';
import type { ClusterView } from '../../baselines/controller.ts';
import { FRAME, SERVICE_FRAME } from './metrics-history.ts';
import type { MetricsHistory } from './metrics-history.ts';

/** The newest request rate is compared with the rate so many steps earlier. */
const RATE_LAGS = [1, 2, 4, 8, 20, 40] as const;

/** Steps of request rate that the observation needs. */
export const RATE_STEPS = Math.max(...RATE_LAGS);

const APPLICATION_FEATURES = 4 + RATE_LAGS.length;
const SERVICE_FEATURES = 10;

/** Elements of an observation. */
export function observationSize(serviceCount: number): number {
  return APPLICATION_FEATURES + serviceCount * SERVICE_FEATURES;
}

/** What the observation is made from beside the cluster's view. */
export interface ObservationInput {
  readonly view: ClusterView;
  readonly history: MetricsHistory;
  readonly sloSeconds: number;
  readonly startingPods: Int32Array;
  /** Replicas that the action's changes are added to. */
  readonly base: Int32Array;
}

/** Writes the observation; see {@link observationTable}. */
export function writeObservation(input: ObservationInput, out: Float32Array): void {
  writeApplication(input, out);
  for (let s = 0; s < input.base.length; s++) {
    writeService(input, s, out, APPLICATION_FEATURES + s * SERVICE_FEATURES);
  }
}

function writeApplication({ view, history, sloSeconds }: ObservationInput, out: Float32Array): void {
  const frame = history.visible;
  const rate = history.rate(0);
  const logRate = Math.log(1 + rate);
  let pods = 0;
  let mostPods = 0;
  for (let s = 0; s < view.desiredReplicas.length; s++) {
    pods += view.desiredReplicas[s];
    mostPods += view.maxReplicas[s];
  }
  out[0] = logRate / 8;
  out[1] = clip(Math.log(history.values[frame + FRAME.p95Seconds] / sloSeconds + 1e-3), -2, 4) / 2;
  out[2] = history.values[frame + FRAME.violationShare];
  out[3] = pods / mostPods;
  for (let i = 0; i < RATE_LAGS.length; i++) {
    out[4 + i] = clip(2 * (logRate - Math.log(1 + history.rate(RATE_LAGS[i]))), -2, 2);
  }
}

function writeService(input: ObservationInput, s: number, out: Float32Array, at: number): void {
  const { view, history } = input;
  const frame = history.visible + FRAME.width + s * SERVICE_FRAME.width;
  const { values } = history;
  const desired = view.desiredReplicas[s];
  const ready = view.readyPods[s];
  const usage = values[frame + SERVICE_FRAME.cpuMillicores];
  const request = view.cpuRequestMillicores[s];
  const callsIn = values[frame + SERVICE_FRAME.callsIn];
  const callsOut = values[frame + SERVICE_FRAME.callsOut];
  const waiting = values[frame + SERVICE_FRAME.callsInSystem] / Math.max(1, ready);
  out[at] = desired / view.maxReplicas[s];
  out[at + 1] = Math.min(2, (ready + view.unreadyPods[s] - input.startingPods[s]) / desired);
  out[at + 2] = Math.min(2, input.startingPods[s] / desired);
  out[at + 3] = usage / (Math.max(1, values[frame + SERVICE_FRAME.readyPods]) * request);
  out[at + 4] = Math.min(3, usage / (desired * request));
  out[at + 5] = Math.log(1 + callsIn) / 8;
  out[at + 6] = callsIn > 0 ? clip(callsOut / callsIn - 1, -1, 1) : 0;
  out[at + 7] = Math.min(2, Math.log(1 + waiting) / 4);
  out[at + 8] = Math.min(2, values[frame + SERVICE_FRAME.waitSeconds] / input.sloSeconds);
  out[at + 9] = clip((input.base[s] - desired) / 7, -1, 1);
}

function clip(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** The observation table, in the order of {@link writeObservation}. */
export function observationTable(services: readonly string[]): SpaceRow[] {
  const application: Omit<SpaceRow, 'index'>[] = [
    row('requestRate', 'ln(1 + requests/s) / 8', 0, 3, 'request rate'),
    row('p95', 'ln(p95 / SLO) / 2', -1, 2, '95th percentile of the latency'),
    row('violations', 'share', 0, 1, 'share of requests slower than the SLO'),
    row('pods', 'share of the maximum', 0, 1, 'desired replicas of all services'),
    ...RATE_LAGS.map((lag) =>
      row(`rateChange${lag}`, '2 · ln of the ratio', -2, 2, `request rate against ${lag * 15} s earlier`),
    ),
  ];
  const service = [
    row('desired', 'share of the maximum', 0, 1, 'desired replicas'),
    row('ready', 'share of desired', 0, 2, 'ready pods, at this moment'),
    row('starting', 'share of desired', 0, 2, 'pods that are not ready yet, at this moment'),
    row('utilisation', 'share of the request', 0, 2, 'CPU usage of the ready pods'),
    row('load', 'share of the request', 0, 3, 'the same CPU usage, if all desired replicas shared it'),
    row('callsIn', 'ln(1 + calls/s) / 8', 0, 3, 'calls that arrived'),
    row('flow', 'calls out / calls in − 1', -1, 1, 'below 0: calls pile up'),
    row('inSystem', 'ln(1 + calls per pod) / 4', 0, 2, 'calls waiting or being served, per ready pod'),
    row('wait', 'share of the SLO', 0, 2, 'mean wait of a call in the queue'),
    row('proposal', 'replicas / 7', -1, 1, 'base of the action − desired replicas (0 unless actionBase is hpa)'),
  ];
  const rows = [
    ...application,
    ...services.flatMap((name) => service.map((entry) => ({ ...entry, name: `${name}.${entry.name}` }))),
  ];
  return rows.map((entry, index) => ({ index: String(index), ...entry }));
}

function row(name: string, unit: string, low: number, high: number, meaning: string): Omit<SpaceRow, 'index'> {
  return { name, unit, low, high, meaning };
}
