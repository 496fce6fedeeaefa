import { CoxswainError } from '../../contracts/errors.ts';
import type { ClusterRecording } from '../../contracts/cluster-metrics.ts';
import type { BinRange } from '../../contracts/stores.ts';
import type { Application } from '../environments/online-boutique/application.ts';
import { fitCallGraph, MOST_CALLS } from './call-graph.ts';
import { fitRequests } from './fit-requests.ts';
import { fitService, PRIOR_SCV, withServiceScv } from './fit-service.ts';
import type { FittedService } from './fit-service.ts';
import { fittedGraph } from './fitted-graph.ts';
import { judgeP95, judgeServices } from './judge.ts';
import { prepareRecording } from './prepare-recording.ts';
import { knownBins } from './recorded.ts';
import { quantile } from './robust.ts';
import { replay, stepsPerBin } from './replay.ts';
import type { ServiceFit, Twin } from './twin.ts';

/** Part of the recording that is fitted on; the rest judges. */
const FITTED_SHARE = 0.7;
/** Bins that at least must be known of the users' requests, to fit and to judge. */
const LEAST_FITTED_BINS = 40;
const LEAST_JUDGED_BINS = 12;
/** Busy bins have at least this many times the requests of quiet ones, or the recording shows too little. */
const LEAST_VARIATION = 1.5;

/**
 * Fits a simulator to a recording on its first 70 %, and compares it with the rest. Deterministic.
 *
 * 1. Services: fit-service.ts. Calls: call-graph.ts. Kinds of requests: fit-requests.ts.
 * 2. The rest of the recording is replayed with its arrivals and pods; judge.ts says how far the twin is from it.
 *
 * Whether that is good enough is for {@link refuseUnfit} to say.
 * @throws CoxswainError TWIN_UNFIT when there is nothing to fit: too short, no entry, bins that the simulator cannot play.
 */
export function fitTwin(recording: ClusterRecording): Twin {
  const { fitted, judged } = partsOf(recording);
  const { recording: seen, notes } = prepareRecording(recording, fitted);
  const { services } = seen;
  const graph = fitCallGraph(seen, fitted);
  refuseEndlessCalls(graph.visits);
  const plain = services.map((service, s) => fitService(seen, service, fitted, graph.visits[s]));
  const servicesWith = (serviceScv: number): readonly FittedService[] =>
    serviceScv === PRIOR_SCV
      ? plain
      : plain.map((fit, s) => withServiceScv(fit, seen, services[s], fitted, serviceScv));
  const { services: fits, requests } = fitRequests(servicesWith, graph, seen, fitted);
  const parameters = fits.map((fit) => fit.parameters);
  const application: Application = { services: parameters, requests };
  const prediction = replay(application, seen, judged);
  const errors = judgeServices(prediction, seen, parameters);
  return {
    version: 1,
    startSeconds: recording.startSeconds,
    application,
    ...fittedGraph(application, seen, fitted, graph.visits),
    report: {
      fitted,
      judged,
      services: fits.map(({ parameters: { name }, serversFrom, notes }, s): ServiceFit => ({
        service: name,
        ...errors[s],
        serversFrom,
        notes,
      })),
      p95Error: judgeP95(prediction, seen),
      notes: [...variationNotes(seen, fitted), ...notes, ...graph.notes],
    },
  };
}

function partsOf(recording: ClusterRecording): { fitted: BinRange; judged: BinRange } {
  stepsPerBin(recording);
  const { bins, entry, services, requestsPerSecond } = recording;
  if (!services.some(({ workload }) => workload === entry)) {
    throw unfit(`The recording has no service ${entry}, where users' requests come in. Name another entry.`);
  }
  const fitted = { from: 0, to: Math.round(FITTED_SHARE * bins) };
  const judged = { from: fitted.to, to: bins };
  const known = (range: BinRange): number => knownBins(range, requestsPerSecond).length;
  if (known(fitted) < LEAST_FITTED_BINS || known(judged) < LEAST_JUDGED_BINS) {
    throw unfit(
      `The users' requests are known in ${known(fitted)} bins to fit on and ${known(judged)} to judge by; at least ${LEAST_FITTED_BINS} and ${LEAST_JUDGED_BINS} are needed. Record longer.`,
    );
  }
  return { fitted, judged };
}

/** Says so when the users' rate hardly varied: then nothing tells what happens at another one. */
function variationNotes({ requestsPerSecond }: ClusterRecording, range: BinRange): string[] {
  const rates = requestsPerSecond.subarray(range.from, range.to);
  const [low, high] = [quantile(rates, 0.05), quantile(rates, 0.95)];
  if (high >= LEAST_VARIATION * low) return [];
  const span = `${low.toFixed(1)} to ${high.toFixed(1)} requests/s`;
  return [
    `The recording has too little variation (${span} in nine tenths of the time): what the twin says of other rates is not backed by it. Record quiet and busy hours.`,
  ];
}

function refuseEndlessCalls(visits: Float64Array): void {
  const calls = visits.reduce((sum, each) => sum + each, 0);
  if (calls <= MOST_CALLS) return;
  throw unfit(
    `An average request makes ${Math.round(calls)} calls; the simulator takes ${MOST_CALLS}. Record fewer services.`,
  );
}

function unfit(message: string): CoxswainError {
  return new CoxswainError('TWIN_UNFIT', message);
}
