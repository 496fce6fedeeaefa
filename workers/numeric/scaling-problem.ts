import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { BinRange, RecordingParts } from '../../src/contracts/stores.ts';
import { decodeRecording } from '../../src/recordings/recording.ts';
import type { ScalingTask } from '../../src/rl/environments/scaling-environment.ts';
import { scalingKindNamed } from '../../src/rl/environments/scaling-kinds.ts';
import { calibrateHpa } from '../../src/rl/evaluation/calibrate.ts';
import { spreadEpisodes } from '../../src/rl/evaluation/episodes.ts';
import type { ScoreRule } from '../../src/rl/evaluation/score.ts';
import { decodeTwin } from '../../src/rl/twin/twin-bytes.ts';
import type { Episode } from '../../src/rl/evaluation/episodes.ts';

/** Seeds of the arrivals in the validation and held-out episodes: fixed, so that every run meets the same ones. */
const episodeSeeds = { validate: 1_000_003, heldOut: 2_000_003 } as const;

const daySeconds = 86_400;

/** One part of the recording as a task, with the episodes to judge by. */
export interface ProblemPart {
  readonly task: ScalingTask;
  readonly episodes: readonly Episode[];
}

/** What a spec asks to be solved: the environment on each part of the recording. */
export interface Problem {
  /** The score that everything is chosen by; its price of violations is the reward's. */
  readonly scoreRule: Partial<ScoreRule>;
  readonly train: ScalingTask;
  readonly validate: ProblemPart;
  /** Reads the held-out part; only the evaluation calls it. */
  heldOut(): ProblemPart;
}

/**
 * The problem of a spec on its recording. Where no target is given, the HPA is calibrated on the validation part first;
 * that is deterministic, so every process finds the same target.
 * @param twin bytes of the twin fitted to the recording; null when there is none.
 */
export function createProblem(
  spec: RunSpec,
  recording: Uint8Array,
  parts: RecordingParts,
  twin: Uint8Array | null,
): Problem {
  const { name, parameters } = spec.environment;
  const kind = scalingKindNamed(name);
  const settings = kind.settings(parameters);
  const trace = Float64Array.from(decodeRecording(recording).arrivals);
  const fitted = twin === null ? null : decodeTwin(twin);
  // Of files it is not known; generated traffic begins at midnight.
  const startSeconds = fitted?.startSeconds ?? 0;
  const taskOn = ({ from, to }: BinRange, hpaTargetPercent: number | null): ScalingTask => {
    const startsAtSeconds = (startSeconds + from * spec.collect.binSeconds) % daySeconds;
    return kind.task(parameters, trace.subarray(from, to), hpaTargetPercent, fitted, startsAtSeconds);
  };
  const episodesOf = ({ from, to }: BinRange, count: number, seed: number): Episode[] =>
    spreadEpisodes(to - from, count, settings.episodeSteps, seed);
  const scoreRule = { violationPrice: settings.violationPrice };
  const { validationEpisodes, heldOutEpisodes, hpaTargetsPercent } = spec.evaluate;
  const { train, validate, heldOut } = parts;
  const episodes = episodesOf(validate, validationEpisodes, episodeSeeds.validate);
  const target =
    settings.hpaTargetPercent ??
    calibrateHpa(taskOn(validate, null), episodes, hpaTargetsPercent, scoreRule).hpaTargetPercent;
  return {
    scoreRule,
    train: taskOn(train, target),
    validate: { task: taskOn(validate, target), episodes },
    heldOut: () => ({
      task: taskOn(heldOut, target),
      episodes: episodesOf(heldOut, heldOutEpisodes, episodeSeeds.heldOut),
    }),
  };
}
