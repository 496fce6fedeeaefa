import { CoxswainError } from '../contracts/errors.ts';
import type { CollectSpec, FileSource, GeneratorSource } from '../contracts/run-spec.ts';
import type { RecordingRecord, RecordingRepairs } from '../contracts/stores.ts';
import { Generator } from '../rl/random.ts';
import { arrivalsFromCounts } from './arrivals.ts';
import { openInDataFolder } from './data-folder.ts';
import { generateArrivals } from './generator.ts';
import { encodeRecording, maxRecordingBins } from './recording.ts';
import { readRequestCounts } from './request-rate-file.ts';
import { splitTime } from './split.ts';
import { traceError } from './trace-error.ts';

/** What a worker adds to the spec. */
export interface CollectOptions {
  /** Absolute paths of the readable folders by name. */
  readonly dataFolders: Readonly<Record<string, string>>;
  /** Least bins of each part: an episode. */
  readonly minimumBins: number;
  readonly signal?: AbortSignal;
}

/** Arrivals, bin after bin, and where they come from. */
export interface Arrivals {
  readonly arrivals: Uint32Array;
  readonly source: string;
  readonly repairs: RecordingRepairs;
}

/** A recording as it is stored: its bytes, and its catalogue entry but for what the stores add. */
export interface Collected {
  readonly bytes: Uint8Array;
  readonly record: Omit<RecordingRecord, 'artifact' | 'createdAt'>;
}

/**
 * Makes the recording that a spec asks for from a file or the generator; one of a cluster is an activity of its own. The same spec and file give the same bytes.
 * @throws CoxswainError TRACE_UNREADABLE, NOT_ALLOWED, CONFIG_INVALID for a file; RECORDING_TOO_SHORT when a part is shorter
 * than an episode; SPEC_INVALID when generated rates are too high to count; what `signal` was aborted with.
 */
export async function collect(spec: CollectSpec, options: CollectOptions): Promise<Collected> {
  options.signal?.throwIfAborted();
  return recordingOf(await drawArrivals(spec, options), spec, options.minimumBins);
}

/**
 * Cuts arrivals into parts and puts them into the recording's format.
 * @throws CoxswainError RECORDING_TOO_SHORT when a part has fewer than `minimumBins` bins.
 */
export function recordingOf(
  { arrivals, source, repairs }: Arrivals,
  { binSeconds, seed, split }: CollectSpec,
  minimumBins: number,
): Collected {
  const parts = splitTime(arrivals.length, split, minimumBins);
  const total = arrivals.reduce((sum, count) => sum + count, 0);
  const peak = arrivals.reduce((most, count) => Math.max(most, count), 0);
  return {
    bytes: encodeRecording({ source, seed, binSeconds, parts, repairs, arrivals }),
    record: {
      source,
      bins: arrivals.length,
      binSeconds,
      parts,
      repairs,
      meanRequestsPerSecond: total / (arrivals.length * binSeconds),
      peakRequestsPerSecond: peak / binSeconds,
    },
  };
}

function drawArrivals(spec: CollectSpec, options: CollectOptions): Arrivals | Promise<Arrivals> {
  const { source } = spec;
  switch (source.kind) {
    case 'file':
      return fromFile(source, spec, options);
    case 'generator':
      return fromGenerator(source, spec);
    case 'cluster':
      throw new CoxswainError('INTERNAL', 'A cluster is recorded by recordCluster on the queue control.');
  }
}

function fromGenerator(source: GeneratorSource, { binSeconds, seed }: CollectSpec): Arrivals {
  const repairs = { interpolatedBins: 0, summedDuplicates: 0 };
  const tooMany = (error: RangeError): CoxswainError =>
    new CoxswainError('SPEC_INVALID', `collect.source.meanRequestsPerSecond: ${error.message}; lower it`, {
      details: [],
    });
  return {
    arrivals: counting(() => generateArrivals(source, binSeconds, seed), tooMany),
    source: 'generator',
    repairs,
  };
}

async function fromFile(source: FileSource, spec: CollectSpec, options: CollectOptions): Promise<Arrivals> {
  const label = `${source.folder}/${source.path}`;
  const handle = await openInDataFolder(source, options.dataFolders);
  const { counts, repairs } = await readRequestCounts(handle, source, spec.binSeconds, options.signal).finally(() =>
    handle.close(),
  );
  const pieces = Math.max(1, source.fileBinSeconds / spec.binSeconds);
  if (counts.length * pieces > maxRecordingBins)
    throw traceError(label, null, `gives ${counts.length * pieces} bins, above ${maxRecordingBins}; set takeBins`);
  const tooMany = (error: RangeError): CoxswainError =>
    traceError(label, null, `${error.message}; lower rateScale`, error);
  const arrivals = counting(() => arrivalsFromCounts(counts, pieces, new Generator(spec.seed)), tooMany);
  if (arrivals.every((count) => count === 0))
    throw traceError(label, null, 'holds no request; check rateScale and unit');
  return { arrivals, source: label, repairs };
}

/** Lets a bin that no uint32 can count say what to change. */
function counting(draw: () => Uint32Array, asError: (error: RangeError) => CoxswainError): Uint32Array {
  try {
    return draw();
  } catch (error) {
    throw error instanceof RangeError ? asError(error) : error;
  }
}
