import type { ClusterRecording, RecordedService } from '../../contracts/cluster-metrics.ts';
import type { BinRange } from '../../contracts/stores.ts';
import type { ServiceParameters } from '../environments/online-boutique/application.ts';
import { fitServiceTimes, plausible, refitServiceTime } from './queue-curve.ts';
import type { ServiceTime } from './queue-curve.ts';
import { isKnown, knownBins, serviceNameOf, valuesAt } from './recorded.ts';
import { median, quantile, robustSlopes } from './robust.ts';
import type { ServersFrom } from './twin.ts';

/** A service's parameters with where they come from. */
export interface FittedService {
  readonly parameters: ServiceParameters;
  readonly serversFrom: ServersFrom;
  readonly notes: readonly string[];
}

/** CPU of a pod without calls as a share of its request, where calls and pods move together. */
const PRIOR_IDLE_SHARE = 0.02;
/** Bins that the prior of the idle CPU counts as, as a share of those fitted on. */
const PRIOR_WEIGHT = 0.01;
const PRIOR_STARTUP_SECONDS = 20;
/** No metric tells how long a pod goes on after it was told to stop; most processes end within seconds. */
const PRIOR_TERMINATION_SECONDS = 5;
const PRIOR_NETWORK_SECONDS = 0.001;
/** CPU of the calls below this share of the CPU at rest is as good as none. */
const LEAST_CALLS_SHARE = 0.05;
const FULL_CORE_MILLICORES = 1000;
/** Calls per pod that vary less than this between quiet and busy bins show no curve. */
const LEAST_VARIATION = 1.3;
/** Exponential service times, until the users' percentile says otherwise (fit-requests.ts). */
export const PRIOR_SCV = 1;
/** Fewer bins than this with calls and latency are no curve. */
const LEAST_BINS = 20;
/** How many times the replicas seen a service without an autoscaler may have, and how many more at least. */
const MOST_REPLICAS_FACTOR = 4;
const LEAST_MORE_REPLICAS = 4;

/**
 * Estimates one service's parameters from its series in a range of bins.
 *
 * - CPU: C = idle · pods + slope · X by robust regression; slope is the CPU of a call (service demand law, Denning &
 *   Buzen, 1978), so cpuBusy = slope / S.
 * - Service time S and servers a pod m: from the curve of own latency over load, see queue-curve.ts. Where several m
 *   explain it alike, the one with which a pod's CPU at full load is its limit, else its request, else the fewest.
 * - Network: what callers wait beyond the time at the server, weighted by their calls; median over bins.
 * - Start-up: median of the pods' times from creation to ready.
 *
 * @param visits calls that an average users' request makes to it.
 */
export function fitService(
  recording: ClusterRecording,
  service: RecordedService,
  range: BinRange,
  visits: number,
): FittedService {
  const notes: string[] = [];
  const calls = callsOf(recording, service, range, visits);
  const cpu = fitCpu(service, calls, range, notes);
  const latency = latencyBins(recording, service, range);
  const times = latency === null ? [] : fitServiceTimes(latency, PRIOR_SCV, serversOfFullPod(cpu, service, latency));
  const { time, serversFrom } =
    latency === null ? timeFromCpu(cpu, service, notes) : chooseTime(times, cpu, service, latency, notes);
  const busy = cpu.slope / time.serviceSeconds;
  const fullPod = cpu.idle + busy * time.servers;
  if (service.cpuRequestMillicores === null) {
    notes.push(`It requests no CPU: taken as ${Math.round(fullPod)} millicores, its CPU at full load.`);
  }
  const { minReplicas, maxReplicas } = replicaBounds(service);
  return {
    parameters: {
      name: serviceNameOf(service.workload, recording.namespace),
      serversPerPod: time.servers,
      serviceSeconds: within(time.serviceSeconds, 1e-6, 60),
      serviceScv: PRIOR_SCV,
      networkSeconds: fitNetwork(recording, service, range, notes),
      startupSeconds: fitStartup(service, notes),
      terminationSeconds: PRIOR_TERMINATION_SECONDS,
      cpuRequestMillicores: within(service.cpuRequestMillicores ?? fullPod, 1, 1e6),
      cpuIdleMillicores: within(cpu.idle, 0, 1e6),
      cpuBusyMillicores: within(busy, 0, 1e6),
      minReplicas,
      maxReplicas,
    },
    serversFrom,
    notes,
  };
}

/**
 * A fitted service with another squared coefficient of variation of its service time: time, and servers where the curve
 * told them, are found again, the CPU of a call stays.
 */
export function withServiceScv(
  fitted: FittedService,
  recording: ClusterRecording,
  service: RecordedService,
  range: BinRange,
  serviceScv: number,
): FittedService {
  const { parameters, serversFrom } = fitted;
  const latency = latencyBins(recording, service, range);
  if (latency === null) return { ...fitted, parameters: { ...parameters, serviceScv } };
  const onlyThese = serversFrom !== 'saturation';
  const { servers, serviceSeconds } = refitServiceTime(latency, serviceScv, parameters.serversPerPod, { onlyThese });
  const cpuOfCall = parameters.cpuBusyMillicores * parameters.serviceSeconds;
  return {
    ...fitted,
    parameters: {
      ...parameters,
      serviceScv,
      serversPerPod: servers,
      serviceSeconds,
      cpuBusyMillicores: within(cpuOfCall / serviceSeconds, 0, 1e6),
    },
  };
}

interface CpuFit {
  /** Millicores of a pod without calls. */
  readonly idle: number;
  /** Millicores for one call a second. */
  readonly slope: number;
}

function fitCpu(service: RecordedService, calls: Float32Array, range: BinRange, notes: string[]): CpuFit {
  const { cpuMillicores, readyReplicas } = service.series;
  const bins = knownBins(range, cpuMillicores, readyReplicas, calls);
  const pods = valuesAt(readyReplicas, bins);
  const rates = valuesAt(calls, bins);
  const prior = PRIOR_IDLE_SHARE * (service.cpuRequestMillicores ?? 0);
  const ridge = PRIOR_WEIGHT * bins.length;
  const { a, b } = robustSlopes(pods, rates, valuesAt(cpuMillicores, bins), { prior, ridge });
  if (bins.length < LEAST_BINS) notes.push('Its CPU is hardly in the recording.');
  const load = rates.map((rate, index) => rate / Math.max(1, pods[index]));
  if (variationOf(load) < LEAST_VARIATION) {
    notes.push('Calls per pod hardly varied, so that CPU at rest and CPU of calls cannot be told apart.');
  }
  if (b * mean(rates) < LEAST_CALLS_SHARE * a * mean(pods)) notes.push('Its CPU does not follow its calls.');
  return { idle: a, slope: b };
}

/** Calls of a service: what was counted, else those that its share of the users' requests makes. */
export function callsOf(
  { requestsPerSecond }: ClusterRecording,
  { series }: RecordedService,
  range: BinRange,
  visits: number,
): Float32Array {
  const { callsPerSecond } = series;
  return isKnown(callsPerSecond, range) ? callsPerSecond : requestsPerSecond.map((rate) => visits * rate);
}

function latencyBins(recording: ClusterRecording, { series }: RecordedService, range: BinRange) {
  const { callsPerSecond, readyReplicas, ownSeconds } = series;
  const bins = knownBins(range, callsPerSecond, readyReplicas, ownSeconds).filter(
    (bin) => callsPerSecond[bin] > 0 && readyReplicas[bin] >= 1 && ownSeconds[bin] > 0,
  );
  if (bins.length < LEAST_BINS) return null;
  return {
    callsPerSecond: valuesAt(callsPerSecond, bins),
    readyPods: valuesAt(readyReplicas, bins),
    ownSeconds: valuesAt(ownSeconds, bins),
    binSeconds: recording.binSeconds,
  };
}

type LatencyBins = NonNullable<ReturnType<typeof latencyBins>>;
interface ChosenTime {
  readonly time: Pick<ServiceTime, 'servers' | 'serviceSeconds'>;
  readonly serversFrom: ServersFrom;
}

/** Servers with which a pod's CPU at full load would be its limit, and its request, by the latency of quiet bins. */
function serversOfFullPod(cpu: CpuFit, service: RecordedService, { ownSeconds }: LatencyBins): number[] {
  const busy = cpu.slope / quantile(ownSeconds, 0.1);
  return [service.cpuLimitMillicores, service.cpuRequestMillicores]
    .map((millicores) => fullServers(millicores, cpu.idle, busy))
    .filter((servers) => servers !== null);
}

function fullServers(millicores: number | null, idle: number, busy: number): number | null {
  if (millicores === null || !(busy > 0) || millicores <= idle) return null;
  return within(Math.round((millicores - idle) / busy), 1, 1000);
}

function chooseTime(
  times: readonly ServiceTime[],
  cpu: CpuFit,
  service: RecordedService,
  latency: LatencyBins,
  notes: string[],
): ChosenTime {
  const possible = plausible(times);
  const best = possible.reduce((a, b) => (b.deviation < a.deviation ? b : a));
  const fewest = possible[0];
  const most = possible[possible.length - 1];
  if (most.servers <= 2 * fewest.servers) return { time: best, serversFrom: 'saturation' };
  const busy = cpu.slope / best.serviceSeconds;
  const sources = [
    ['cpu-limit', service.cpuLimitMillicores],
    ['cpu-request', service.cpuRequestMillicores],
  ] as const;
  for (const [serversFrom, millicores] of sources) {
    const servers = fullServers(millicores, cpu.idle, busy);
    const time = servers === null ? undefined : nearest(possible, servers);
    if (time !== undefined) return { time, serversFrom };
  }
  const load = latency.callsPerSecond.map((rate, index) => rate / latency.readyPods[index]);
  const why = variationOf(load) < LEAST_VARIATION ? 'calls per pod hardly varied' : 'it was never busy enough';
  notes.push(`Servers of a pod are not in the recording (${why}); taken as the fewest that explain it.`);
  return { time: fewest, serversFrom: 'prior' };
}

/** The plausible time with about these servers; undefined when these servers are outside of what is plausible. */
function nearest(possible: readonly ServiceTime[], servers: number): ServiceTime | undefined {
  const near = possible.filter((time) => time.servers <= 1.5 * servers && servers <= 1.5 * time.servers);
  return near.sort((a, b) => Math.abs(a.servers - servers) - Math.abs(b.servers - servers))[0];
}

/** Without latencies a pod is taken to do one call after the other with all the CPU that it may have, else a core. */
function timeFromCpu(cpu: CpuFit, service: RecordedService, notes: string[]): ChosenTime {
  const limits = [service.cpuLimitMillicores, service.cpuRequestMillicores, FULL_CORE_MILLICORES + cpu.idle];
  const full = limits.find((millicores) => millicores !== null && millicores > cpu.idle)!;
  notes.push(
    `Its own latency is not in the recording: a pod is taken to do one call at a time with ${Math.round(full)} millicores.`,
  );
  const serviceSeconds = Math.max(1e-4, cpu.slope / (full - cpu.idle));
  return { time: { servers: 1, serviceSeconds }, serversFrom: 'prior' };
}

function fitNetwork(recording: ClusterRecording, service: RecordedService, range: BinRange, notes: string[]): number {
  const { meanSeconds } = service.series;
  const edges = recording.edges.filter(({ target }) => target === service.workload);
  const differences: number[] = [];
  for (const bin of knownBins(range, meanSeconds)) {
    let calls = 0;
    let seconds = 0;
    for (const edge of edges) {
      if (!(edge.callsPerSecond[bin] > 0) || !Number.isFinite(edge.meanSeconds[bin])) continue;
      calls += edge.callsPerSecond[bin];
      seconds += edge.callsPerSecond[bin] * edge.meanSeconds[bin];
    }
    if (calls > 0) differences.push(seconds / calls - meanSeconds[bin]);
  }
  if (differences.length > 0) return within(median(differences), 0, 60);
  // A mesh measures users' requests at the entry, so that their way there is not in any recorded latency.
  if (service.workload === recording.entry) return 0;
  notes.push(`Nobody measured its callers' waits; network taken as ${1000 * PRIOR_NETWORK_SECONDS} ms.`);
  return PRIOR_NETWORK_SECONDS;
}

function fitStartup({ startupSeconds }: RecordedService, notes: string[]): number {
  const seconds = median(startupSeconds);
  if (Number.isFinite(seconds)) return within(seconds, 0, 600);
  notes.push(`No pod started while it was recorded; start-up taken as ${PRIOR_STARTUP_SECONDS} s.`);
  return PRIOR_STARTUP_SECONDS;
}

/** The autoscaler's bounds, else 1 … 4 times the highest count seen, and at least 4 more than that. */
function replicaBounds({ minReplicas, maxReplicas, series }: RecordedService) {
  const highest = series.replicas.reduce((most, replicas) => (replicas > most ? replicas : most), 1);
  const low = within(minReplicas ?? 1, 1, 10_000);
  const seen = Math.max(MOST_REPLICAS_FACTOR * highest, highest + LEAST_MORE_REPLICAS);
  return { minReplicas: low, maxReplicas: within(Math.max(low, maxReplicas ?? seen), 1, 10_000) };
}

/** How many times the busy bins' load is that of the quiet ones. */
function variationOf(load: Float64Array): number {
  return quantile(load, 0.95) / quantile(load, 0.05);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function within(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
