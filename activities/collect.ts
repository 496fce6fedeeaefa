import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { CollectActivities } from '../src/contracts/activities.ts';
import type { ClusterReader } from '../src/contracts/cluster.ts';
import type { ClusterRecording, NamespaceSeries, SeriesReader } from '../src/contracts/cluster-metrics.ts';
import { CoxswainError } from '../src/contracts/errors.ts';
import { collectProgressSignal } from '../src/contracts/messages.ts';
import type { ClusterSource, RunSpec } from '../src/contracts/run-spec.ts';
import type { CollectedRecording } from '../src/contracts/runs.ts';
import type { ArtifactReference, BinRange } from '../src/contracts/stores.ts';
import { decodeClusterRecording, encodeClusterRecording } from '../src/recordings/cluster-recording-format.ts';
import { arrivalsOf, chunkOf, joinChunks } from '../src/recordings/cluster-recording.ts';
import { ClusterSightings } from '../src/recordings/cluster-sightings.ts';
import { recordingOf } from '../src/recordings/collect.ts';
import { assertComplete, withUnrecordedEdges } from '../src/recordings/recording-gaps.ts';
import { planRecording, startOf } from '../src/recordings/recording-plan.ts';
import type { RecordingPlan } from '../src/recordings/recording-plan.ts';
import { splitTime } from '../src/recordings/split.ts';
import { withTranslatedErrors } from './failures.ts';
import { cancellationFailure, startHeartbeat } from './heartbeat.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { CollectPorts } from './ports.ts';
import { untilStored } from './until-stored.ts';

/** The cluster is asked for replicas once a bin, but not more often than this. */
const leastSecondsBetweenSightings = 5;

/** A run hears of a recording's progress this many times, so that its history stays small. */
const progressSignals = 20;

/** What an attempt leaves for the next one. */
interface HeartbeatDetails {
  /** Chunks that are stored, the first ones of the plan. */
  readonly chunks: readonly ArtifactReference[];
  /** For people who look at the activity. */
  readonly note: string;
}

/** Recordings of live clusters; see the contract for what each activity promises. */
export function createCollectActivities(ports: CollectPorts): CollectActivities {
  return withTranslatedErrors<CollectActivities>({
    async recordCluster(input) {
      const { info, cancellationSignal: signal } = Context.current();
      const before = (info.heartbeatDetails ?? { chunks: [], note: '' }) as HeartbeatDetails;
      const heartbeat = startHeartbeat(before);
      try {
        return await recordCluster(ports, attemptOf(ports, input, before, heartbeat));
      } catch (error) {
        throw signal.aborted ? cancellationFailure() : error;
      } finally {
        heartbeat.close();
      }
    },
  });
}

interface Attempt {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly source: ClusterSource;
  readonly series: SeriesReader;
  readonly cluster: ClusterReader;
  readonly plan: RecordingPlan;
  readonly sightings: ClusterSightings;
  readonly signal: AbortSignal;
  readonly heartbeat: Heartbeat;
  /** Tells people how far it is; the run's workflow hears of every twentieth. */
  readonly tell: (note: string) => void;
  /** Both of the chunks that are stored, in order. */
  stored: ArtifactReference[];
  chunks: ClusterRecording[];
  note: string;
}

function attemptOf(
  ports: CollectPorts,
  { runId, spec }: { runId: string; spec: RunSpec },
  before: HeartbeatDetails,
  heartbeat: Heartbeat,
): Attempt {
  const { info, cancellationSignal: signal } = Context.current();
  const { source, binSeconds, split } = spec.collect;
  if (source.kind !== 'cluster') throw new CoxswainError('INTERNAL', `recordCluster was given a ${source.kind}.`);
  const plan = planRecording(source, binSeconds, info.scheduledTimestampMs);
  // What is too short is found out before hours are spent on it.
  splitTime(plan.bins, split, ports.episodeSteps(spec));
  const attempt: Attempt = {
    ...{ runId, spec, source, plan, signal, heartbeat, ...observersOf(ports) },
    sightings: new ClusterSightings(plan),
    tell: progressTeller(ports, runId, () => attempt.chunks.length / plan.chunks.length),
    ...{ stored: [...before.chunks], chunks: [], note: before.note },
  };
  return attempt;
}

function observersOf({ series, cluster }: CollectPorts): Pick<Attempt, 'series' | 'cluster'> {
  if (series !== null && cluster !== null) return { series, cluster };
  const lacking = series === null ? 'COXSWAIN_PROMETHEUS_URL is unset' : 'it has no Kubernetes cluster';
  throw new CoxswainError(
    'NOT_ALLOWED',
    `collect.source.kind: found "cluster"; allowed: generator | file, since ${lacking} on this worker of the queue control`,
  );
}

async function recordCluster(ports: CollectPorts, attempt: Attempt): Promise<CollectedRecording> {
  const { plan, cluster, source, sightings, signal } = attempt;
  sightings.add(await cluster.read({ namespaces: [source.namespace] }, signal), null);
  await takeUpChunks(ports, attempt);
  const end = new AbortController();
  const watching = watchCluster(attempt, AbortSignal.any([signal, end.signal]));
  try {
    for (const chunk of plan.chunks.slice(attempt.chunks.length)) await recordChunk(ports, attempt, chunk);
  } finally {
    end.abort();
    await watching;
  }
  return storeRecording(ports, attempt);
}

/** Goes on behind the chunks that an earlier attempt stored, as far as they are there and fit the plan. */
async function takeUpChunks({ artifacts }: CollectPorts, attempt: Attempt): Promise<void> {
  const { plan, signal } = attempt;
  for (const [i, { from, to }] of plan.chunks.slice(0, attempt.stored.length).entries()) {
    const reference = attempt.stored[i];
    if (!(await untilStored(() => artifacts.has(reference), signal))) break;
    const chunk = decodeClusterRecording(await untilStored(() => artifacts.get(reference), signal));
    if (chunk.startSeconds !== startOf(from, plan) || chunk.bins !== to - from) break;
    attempt.chunks.push(chunk);
  }
  attempt.stored = attempt.stored.slice(0, attempt.chunks.length);
  attempt.tell(progressOf(attempt));
}

async function recordChunk(ports: CollectPorts, attempt: Attempt, chunk: BinRange): Promise<void> {
  const { plan, source, sightings, signal, heartbeat } = attempt;
  await sleepUntil(startOf(chunk.to, plan) * 1000 + (ports.settleMs ?? 5_000), signal);
  const series = await untilAnswered(ports, attempt, chunk);
  const recorded = chunkOf(chunk, plan, source, { series, sightings });
  attempt.stored.push(await untilStored(() => ports.artifacts.put(encodeClusterRecording(recorded)), signal));
  attempt.chunks.push(recorded);
  attempt.note = progressOf(attempt);
  heartbeat.set(detailsOf(attempt));
  attempt.tell(attempt.note);
}

/** Prometheus keeps what it has: while it is away only time is lost, and what it did not scrape is a gap. */
async function untilAnswered(ports: CollectPorts, attempt: Attempt, chunk: BinRange): Promise<NamespaceSeries> {
  const { plan, source, series, sightings, signal, heartbeat } = attempt;
  const { namespace, dialect, windowSeconds } = source;
  for (;;) {
    try {
      return await series.read(
        {
          ...{ namespace, dialect, windowSeconds, binSeconds: plan.binSeconds },
          startSeconds: startOf(chunk.from, plan),
          bins: chunk.to - chunk.from,
          workloads: sightings.workloads,
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof CoxswainError && error.code === 'OBSERVATION_UNAVAILABLE')) throw error;
      Context.current().log.warn('Prometheus is away; trying again', { message: error.message });
      attempt.note = `${progressOf(attempt)}; waits for Prometheus: ${error.message}`;
      heartbeat.set(detailsOf(attempt));
      await sleep(ports.retryMs ?? 5_000, undefined, { signal });
    }
  }
}

/**
 * Looks at the cluster in the middle of each bin that is still to come, until it is stopped. What it does not see is known
 * from Prometheus, or a gap: never an error.
 */
async function watchCluster({ plan, source, cluster, sightings }: Attempt, signal: AbortSignal): Promise<void> {
  const { log } = Context.current();
  const stride = Math.max(1, Math.ceil(leastSecondsBetweenSightings / plan.binSeconds));
  const middle = (bin: number): number => startOf(bin + stride / 2, plan) * 1000;
  for (let bin = 0; bin < plan.bins; bin += stride) {
    if (middle(bin) < Date.now()) continue;
    try {
      await sleepUntil(middle(bin), signal);
      const state = await cluster.read({ namespaces: [source.namespace] }, signal);
      sightings.add(state, { from: bin, to: Math.min(bin + stride, plan.bins) });
    } catch (error) {
      if (signal.aborted) return;
      log.warn('The cluster was not seen', { message: String(error) });
    }
  }
}

async function storeRecording(ports: CollectPorts, attempt: Attempt): Promise<CollectedRecording> {
  const { artifacts, store, episodeSteps } = ports;
  const { plan, source, spec, chunks, signal } = attempt;
  const recording = await comparedWithKiali(ports, attempt, joinChunks(chunks, plan, source.entry));
  assertComplete(recording, source.maxMissingShare);
  const { arrivals, interpolatedBins } = arrivalsOf(recording);
  const repairs = { interpolatedBins, summedDuplicates: 0 };
  const made = { arrivals, repairs, source: `cluster/${source.namespace}` };
  const { bytes, record } = recordingOf(made, spec.collect, episodeSteps(spec));
  const cluster = await untilStored(() => artifacts.put(encodeClusterRecording(recording)), signal);
  const artifact = await untilStored(() => artifacts.put(bytes), signal);
  await untilStored(() => store.recordings.saveRecording({ ...record, artifact, createdAt: new Date() }), signal);
  const { bins, binSeconds, parts, meanRequestsPerSecond, peakRequestsPerSecond } = record;
  return { artifact, bins, binSeconds, parts, repairs, meanRequestsPerSecond, peakRequestsPerSecond, cluster };
}

/** Kiali is asked once, and never stands in the way. */
async function comparedWithKiali(
  { callGraph = null }: CollectPorts,
  { plan, source, signal }: Attempt,
  recording: ClusterRecording,
): Promise<ClusterRecording> {
  if (callGraph === null) return recording;
  const stretch = { fromSeconds: startOf(0, plan), toSeconds: startOf(plan.bins, plan) };
  try {
    return withUnrecordedEdges(recording, await callGraph.read(source.namespace, stretch, signal), 'Kiali');
  } catch (error) {
    signal.throwIfAborted();
    Context.current().log.warn('Kiali was not asked', { message: String(error) });
    return recording;
  }
}

function detailsOf({ stored, note }: Attempt): HeartbeatDetails {
  return { chunks: [...stored], note };
}

function progressOf({ chunks, plan }: Attempt): string {
  const done = chunks.reduce((sum, { bins }) => sum + bins, 0);
  return `${done} of ${plan.bins} bins recorded`;
}

/** Only news for people: lost ones do no harm. */
function progressTeller({ client }: CollectPorts, runId: string, share: () => number): (note: string) => void {
  const { log } = Context.current();
  let told = -1;
  return (note) => {
    const twentieth = Math.floor(share() * progressSignals);
    if (client === null || twentieth <= told) return;
    told = twentieth;
    client.workflow
      .getHandle(runId)
      .signal(collectProgressSignal, note)
      .catch((error: unknown) => log.debug('The progress signal was lost', { error: String(error) }));
  };
}

/** The longest time that a timer of Node takes. */
const longestSleepMs = 2 ** 31 - 1;

async function sleepUntil(timeMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let left = timeMs - Date.now(); left > 0; left = timeMs - Date.now()) {
    await sleep(Math.min(left, longestSleepMs), undefined, { signal });
  }
}
