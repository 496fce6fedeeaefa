import type {
  ClusterRecording,
  RecordedEdge,
  RecordedService,
  RecordingGap,
  ServiceSeries,
} from '../contracts/cluster-metrics.ts';
import { CoxswainError } from '../contracts/errors.ts';

type Recorded = Omit<ClusterRecording, 'gaps' | 'p95Seconds'>;

/** What a gap of all series is called. */
const everything = 'everything';

/** Figures of a service that are known at every moment that it is there; the first ones are of its own pods. */
const podFigures = ['replicas', 'readyReplicas', 'cpuMillicores', 'memoryBytes'] as const;
const steadyFigures = [...podFigures, 'callsPerSecond'] as const;
/** Those without which a recording is of no use. */
const neededFigures: readonly ServiceSeries[] = ['replicas', 'cpuMillicores', 'callsPerSecond'];

/**
 * What a recording lacks.
 *
 * 1. Bins of which nothing is known at all are one gap, `everything`, not one of each figure.
 * 2. A service has gaps only between the first and the last bin in which its pods are known; before and after it was not
 *    there, though callers may go on counting calls to it. While it has 0 replicas it has no other figures.
 * 3. A mean duration is missing only where there were calls.
 */
export function gapsOf(recording: Recorded): RecordingGap[] {
  const { bins, services, requestsPerSecond, entry } = recording;
  const blind = Array.from(
    { length: bins },
    (_, bin) =>
      Number.isNaN(requestsPerSecond[bin]) && services.every((service) => isUnknown(service, bin, steadyFigures)),
  );
  const gaps = runsOf(bins, (bin) => blind[bin], everything);
  gaps.push(...runsOf(bins, (bin) => !blind[bin] && Number.isNaN(requestsPerSecond[bin]), usersOf(entry)));
  for (const service of services) {
    const { from, to } = lifeOf(service, bins);
    const isThere = (bin: number): boolean => !blind[bin] && bin >= from && bin < to;
    const { series, workload } = service;
    for (const figure of steadyFigures) {
      const idle = (bin: number): boolean => figure !== 'replicas' && series.replicas[bin] === 0;
      const isMissing = (bin: number): boolean => isThere(bin) && Number.isNaN(series[figure][bin]) && !idle(bin);
      gaps.push(...runsOf(bins, isMissing, nameOf(figure, workload)));
    }
    const lacksTime = (bin: number): boolean =>
      isThere(bin) && series.callsPerSecond[bin] > 0 && Number.isNaN(series.meanSeconds[bin]);
    gaps.push(...runsOf(bins, lacksTime, nameOf('meanSeconds', workload)));
  }
  return gaps;
}

/**
 * The recording with a gap over its whole length for each edge that somebody else shows and that it lacks: a sign that the
 * names of the series are not those of this mesh, or that a proxy is not scraped.
 */
export function withUnrecordedEdges(
  recording: ClusterRecording,
  shown: readonly Pick<RecordedEdge, 'source' | 'target'>[],
  shownBy: string,
): ClusterRecording {
  const nameOfEdge = ({ source, target }: Pick<RecordedEdge, 'source' | 'target'>): string => `${source} to ${target}`;
  const recorded = new Set(recording.edges.map(nameOfEdge));
  const lacking = new Set(shown.map(nameOfEdge).filter((name) => !recorded.has(name)));
  const gaps = [...lacking].sort().map((name) => ({
    what: `calls from ${name}, which ${shownBy} shows`,
    ...{ from: 0, to: recording.bins },
  }));
  return { ...recording, gaps: [...recording.gaps, ...gaps] };
}

/**
 * Refuses a recording in which a figure that is needed is missing in more than a share of all bins.
 * @throws CoxswainError RECORDING_INCOMPLETE listing the gaps.
 */
export function assertComplete(recording: ClusterRecording, maxMissingShare: number): void {
  const { bins, gaps, entry, services, namespace } = recording;
  const blind = binsOf(gaps, everything);
  const needed = [
    usersOf(entry),
    ...services.flatMap(({ workload }) => neededFigures.map((figure) => nameOf(figure, workload))),
  ];
  const lacking = needed
    .map((what) => ({ what, missing: blind + binsOf(gaps, what) }))
    .filter(({ missing }) => missing > maxMissingShare * bins);
  if (lacking.length === 0) return;
  const list = lacking.slice(0, 5).map(({ what, missing }) => `${what} in ${missing} of ${bins} bins`);
  const shown = gaps.slice(0, 10).map(({ what, from, to }) => `${what} ${from}–${to}`);
  throw new CoxswainError(
    'RECORDING_INCOMPLETE',
    `The recording of ${namespace} lacks ${andMore(list, lacking.length)}, above collect.source.maxMissingShare ` +
      `${maxMissingShare}. Gaps, by bins: ${andMore(shown, gaps.length)}.`,
    { details: { gaps: gaps.slice(0, 100) } },
  );
}

function andMore(list: readonly string[], total: number): string {
  return list.join(', ') + (total > list.length ? ` and ${total - list.length} more` : '');
}

function usersOf(entry: string): string {
  return `requests to ${entry}`;
}

function nameOf(figure: ServiceSeries, workload: string): string {
  return `${figure} of ${workload}`;
}

function binsOf(gaps: readonly RecordingGap[], name: string): number {
  return gaps.filter(({ what }) => what === name).reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Where nobody knows of pods, the calls must do. */
function lifeOf(service: RecordedService, bins: number): { from: number; to: number } {
  const all = Array.from({ length: bins }, (_, bin) => bin);
  const withPods = all.filter((bin) => !isUnknown(service, bin, podFigures));
  const known = withPods.length > 0 ? withPods : all.filter((bin) => !isUnknown(service, bin, steadyFigures));
  return { from: known[0] ?? 0, to: (known.at(-1) ?? -1) + 1 };
}

function isUnknown({ series }: RecordedService, bin: number, figures: readonly ServiceSeries[]): boolean {
  return figures.every((figure) => Number.isNaN(series[figure][bin]));
}

/** Bins one after the other that are meant, as gaps. */
function runsOf(bins: number, isMeant: (bin: number) => boolean, what: string): RecordingGap[] {
  const gaps: RecordingGap[] = [];
  for (let bin = 0; bin < bins; bin++) {
    if (!isMeant(bin)) continue;
    const from = bin;
    while (bin < bins && isMeant(bin)) bin++;
    gaps.push({ what, from, to: bin });
  }
  return gaps;
}
