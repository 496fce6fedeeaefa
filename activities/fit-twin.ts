import { Context } from '@temporalio/activity';
import type { FitInput } from '../src/contracts/activities.ts';
import { CoxswainError } from '../src/contracts/errors.ts';
import type { FittedTwin, TwinServiceErrors } from '../src/contracts/runs.ts';
import { cancellationFailure } from './heartbeat.ts';
import type { EvaluationPorts } from './ports.ts';
import { untilStored } from './until-stored.ts';

/** A result stays small whatever the size of the cluster; the twin's artifact has everything. */
const mostServices = 100;
const mostNotes = 20;

/** Fits a twin to the recording's cluster and stores it. */
export async function fitTwin({ artifacts, numeric }: EvaluationPorts, input: FitInput): Promise<FittedTwin> {
  const { cancellationSignal: signal } = Context.current();
  const { cluster } = input.recording;
  if (!cluster) {
    throw new CoxswainError(
      'TWIN_UNFIT',
      'The recording is not one of a cluster, so there is nothing to fit a twin to.',
    );
  }
  const recording = await untilStored(() => artifacts.get(cluster), signal);
  const { maxError } = input.spec.fit;
  const { twin, services, p95Error, notes } = await numeric
    .fit({ recording, maxError }, signal)
    .catch((error: unknown) => {
      throw signal.aborted ? cancellationFailure() : error;
    });
  const artifact = await untilStored(() => artifacts.put(new TextEncoder().encode(twin)), signal);
  return {
    artifact,
    services: worst(services).map(rounded),
    serviceCount: services.length,
    p95Error: round(p95Error),
    maxError,
    notes:
      notes.length <= mostNotes
        ? notes
        : [...notes.slice(0, mostNotes - 1), `And ${notes.length - mostNotes + 1} more.`],
  };
}

/** Of many the ones with the largest errors, in the order that they have. */
function worst(services: readonly TwinServiceErrors[]): readonly TwinServiceErrors[] {
  if (services.length <= mostServices) return services;
  const bySize = [...services].sort((a, b) => largestError(b) - largestError(a));
  const kept = new Set(bySize.slice(0, mostServices));
  return services.filter((service) => kept.has(service));
}

function largestError({ cpuError, callsError, latencyError }: TwinServiceErrors): number {
  return Math.max(cpuError ?? 0, callsError ?? 0, latencyError ?? 0);
}

function rounded({ service, cpuError, callsError, latencyError }: TwinServiceErrors): TwinServiceErrors {
  return { service, cpuError: round(cpuError), callsError: round(callsError), latencyError: round(latencyError) };
}

/** Three digits: more is noise, and takes room. */
function round(error: number | null): number | null {
  return error === null ? null : Number(error.toFixed(3));
}
