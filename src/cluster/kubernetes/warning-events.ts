import type { ClusterEvent } from '../../contracts/cluster.ts';
import type { ApiEvent } from './api-objects.ts';

/** Older warnings are not told. */
const recentMs = 10 * 60_000;

/** Warnings, as a field selector. */
export const warnings = 'type=Warning';

/** An event as it is told. Its time is when it was last seen. */
export function clusterEvent(event: ApiEvent): ClusterEvent {
  const { metadata, involvedObject, reason = '', message = '' } = event;
  const { series, lastTimestamp, eventTime, firstTimestamp } = event;
  const at = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? metadata.creationTimestamp;
  return {
    at: new Date(at ?? 0),
    namespace: metadata.namespace ?? '',
    about: `${involvedObject.kind ?? ''} ${involvedObject.name ?? ''}`.trim(),
    reason,
    message,
  };
}

/** Those of the last minutes, oldest first. */
export function recentEvents(events: readonly ClusterEvent[], now: Date): ClusterEvent[] {
  return events
    .filter(({ at }) => now.getTime() - at.getTime() <= recentMs)
    .sort((a, b) => a.at.getTime() - b.at.getTime());
}
