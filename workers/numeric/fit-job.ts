import type { FitJob, FitOutcome } from '../../src/contracts/numeric.ts';
import { decodeClusterRecording } from '../../src/recordings/cluster-recording-format.ts';
import { fitTwin } from '../../src/rl/twin/fit-twin.ts';
import { refuseUnfit } from '../../src/rl/twin/refuse-unfit.ts';

/**
 * Fits a twin to a cluster's recording.
 * @throws CoxswainError TWIN_UNFIT when it cannot be fitted, or is further from the recording than `maxError`.
 */
export function runFitJob({ recording, maxError }: FitJob): FitOutcome {
  const twin = fitTwin(decodeClusterRecording(recording));
  const { services, p95Error, notes } = twin.report;
  refuseUnfit(twin.report, maxError);
  return {
    twin: JSON.stringify(twin),
    services: services.map(({ service, cpuError, callsError, latencyError }) => ({
      service,
      cpuError,
      callsError,
      latencyError,
    })),
    p95Error,
    notes: [...notes, ...services.flatMap((fit) => fit.notes.map((note) => `${fit.service}: ${note}`))],
  };
}
