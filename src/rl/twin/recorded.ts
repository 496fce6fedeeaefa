import type { ClusterRecording, RecordedService, ServiceSeries } from '../../contracts/cluster-metrics.ts';
import type { BinRange } from '../../contracts/stores.ts';

/** Name of a workload's service in the twin: without the namespace where that is the recording's. */
export function serviceNameOf(workload: string, namespace: string): string {
  return workload.startsWith(`${namespace}/`) ? workload.slice(namespace.length + 1) : workload;
}

/** The recorded services, the entry first: what a controller takes as the place where users come in. */
export function entryFirst({ services, entry }: ClusterRecording): RecordedService[] {
  return [
    ...services.filter(({ workload }) => workload === entry),
    ...services.filter(({ workload }) => workload !== entry),
  ];
}

/** Bins of `range` in which every one of the series is known. */
export function knownBins(range: BinRange, ...series: readonly Float32Array[]): Int32Array {
  const bins: number[] = [];
  for (let bin = range.from; bin < range.to; bin++) {
    if (series.every((values) => Number.isFinite(values[bin]))) bins.push(bin);
  }
  return Int32Array.from(bins);
}

/** The values of a series in some bins. */
export function valuesAt(series: Float32Array, bins: Int32Array): Float64Array {
  return Float64Array.from(bins, (bin) => series[bin]);
}

/** Whether a series has a value anywhere in the range. */
export function isKnown(series: Float32Array, { from, to }: BinRange): boolean {
  for (let bin = from; bin < to; bin++) if (Number.isFinite(series[bin])) return true;
  return false;
}

/** Whether a service is there in a bin: one gap in the count of its replicas is not its absence. */
export function isThere({ series }: RecordedService, bin: number): boolean {
  const names: readonly ServiceSeries[] = ['replicas', 'readyReplicas', 'cpuMillicores'];
  return names.some((name) => Number.isFinite(series[name][bin]));
}
