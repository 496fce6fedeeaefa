import { CoxswainError } from '../../contracts/errors.ts';
import type { ServiceFit, TwinReport } from './twin.ts';

/** Services that a message names; the others are counted. */
const MOST_NAMED = 10;

/** The largest of a service's errors; 0 when nothing could be compared. */
export function worstError({
  cpuError,
  callsError,
  latencyError,
}: Omit<ServiceFit, 'service' | 'serversFrom' | 'notes'>): number {
  return Math.max(cpuError ?? 0, callsError ?? 0, latencyError ?? 0);
}

/**
 * Refuses a twin to train on when any service's CPU, calls or own latency is further from the recording than `maxError`.
 * The users' 95th percentile does not count: the buckets of a mesh's histogram are wider than any good limit.
 * @throws CoxswainError TWIN_UNFIT naming the services, the worst first, with their errors; `details` has all of them.
 */
export function refuseUnfit({ services }: TwinReport, maxError: number): void {
  const unfit = services.filter((fit) => worstError(fit) > maxError).sort((a, b) => worstError(b) - worstError(a));
  if (unfit.length === 0) return;
  const named = unfit.slice(0, MOST_NAMED).map(describe).join('; ');
  const more = unfit.length > MOST_NAMED ? `; and ${unfit.length - MOST_NAMED} more` : '';
  throw new CoxswainError(
    'TWIN_UNFIT',
    `The twin is too far from the recording in ${unfit.length} of ${services.length} services (fit.maxError ${maxError}): ${named}${more}. Record longer or busier hours, look at what else these services do, or raise fit.maxError.`,
    {
      details: unfit.map(({ service, cpuError, callsError, latencyError }) => ({
        service,
        cpuError,
        callsError,
        latencyError,
      })),
    },
  );
}

function describe(fit: ServiceFit): string {
  const errors = [
    ['CPU', fit.cpuError],
    ['calls', fit.callsError],
    ['latency', fit.latencyError],
  ] as const;
  const known = errors.map(([name, error]) => `${name} ${error === null ? 'not known' : error.toFixed(2)}`);
  return `${fit.service} (${known.join(', ')})`;
}
