import type { ClusterRecording, RecordedEdge, RecordedService } from '../../contracts/cluster-metrics.ts';
import type { BinRange } from '../../contracts/stores.ts';
import { entryFirst, isKnown, isThere } from './recorded.ts';

/**
 * The part of a recording that a twin is made of: services that were there while it is fitted, the entry first, with
 * ready pods in every bin in which replicas are known. Who only sends requests and gets none, such as a load generator,
 * is no part of the application.
 */
export function prepareRecording(
  recording: ClusterRecording,
  fitted: BinRange,
): { recording: ClusterRecording; notes: string[] } {
  const notes: string[] = [];
  const services = entryFirst(recording).filter((service) => {
    const { workload } = service;
    if (workload === recording.entry) return true;
    if (onlySends(service, recording.edges, { from: 0, to: recording.bins })) {
      notes.push(`${workload} only sends requests, so it is not in the twin.`);
      return false;
    }
    if (isThereWithin(service, fitted)) return true;
    notes.push(`${workload} was not there while the twin was fitted, so it is not in it.`);
    return false;
  });
  return { recording: { ...recording, services: services.map(withReadyPods) }, notes };
}

function onlySends({ workload, series }: RecordedService, edges: readonly RecordedEdge[], range: BinRange): boolean {
  return (
    !isKnown(series.callsPerSecond, range) &&
    edges.some(({ source }) => source === workload) &&
    edges.every(({ target }) => target !== workload)
  );
}

function isThereWithin(service: RecordedService, { from, to }: BinRange): boolean {
  for (let bin = from; bin < to; bin++) if (isThere(service, bin)) return true;
  return false;
}

/** Where nobody counted who was ready, all replicas are taken to be. */
function withReadyPods(service: RecordedService): RecordedService {
  const { replicas, readyReplicas } = service.series;
  const ready = readyReplicas.map((count, bin) => (Number.isFinite(count) ? count : replicas[bin]));
  return { ...service, series: { ...service.series, readyReplicas: ready } };
}
