import { CoxswainError } from '../../src/contracts/errors.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { BinRange, RecordingParts } from '../../src/contracts/stores.ts';
import { decodeRecording } from '../../src/recordings/recording.ts';
import { defaultParameters, parseOnlineBoutiqueParameters } from '../../src/rl/environments/online-boutique/options.ts';
import type { OnlineBoutiqueOptions } from '../../src/rl/environments/online-boutique/options.ts';
import { calibrateHpa } from '../../src/rl/evaluation/calibrate.ts';
import { spreadEpisodes } from '../../src/rl/evaluation/episodes.ts';
import type { ScoreRule } from '../../src/rl/evaluation/score.ts';
import type { Episode } from '../../src/rl/evaluation/episodes.ts';

/** Seeds of the arrivals in the validation and held-out episodes: fixed, so that every run meets the same ones. */
const episodeSeeds = { validate: 1_000_003, heldOut: 2_000_003 } as const;

/** One part of the recording as an environment's options, with the episodes to judge by. */
export interface ProblemPart {
  readonly options: OnlineBoutiqueOptions;
  readonly episodes: readonly Episode[];
}

/** What a spec asks to be solved: the environment on each part of the recording. */
export interface Problem {
  /** The score that everything is chosen by; its price of violations is the reward's. */
  readonly scoreRule: Partial<ScoreRule>;
  readonly train: OnlineBoutiqueOptions;
  readonly validate: ProblemPart;
  /** Reads the held-out part; only the evaluation calls it. */
  heldOut(): ProblemPart;
}

/**
 * The problem of a spec on its recording. With actions relative to the HPA and no target given, the HPA is calibrated on
 * the validation part first; that is deterministic, so every process finds the same target.
 */
export function createProblem(spec: RunSpec, recording: Uint8Array, parts: RecordingParts): Problem {
  if (spec.environment.name !== 'online-boutique') throw unknownEnvironment(spec.environment.name);
  const trace = Float64Array.from(decodeRecording(recording).arrivals);
  const parameters = parseOnlineBoutiqueParameters(spec.environment.parameters);
  const optionsOn = ({ from, to }: BinRange): OnlineBoutiqueOptions => ({
    ...parameters,
    trace: trace.subarray(from, to),
  });
  const partOf = (options: OnlineBoutiqueOptions, count: number, seed: number): ProblemPart => {
    const episodes = spreadEpisodes(
      options.trace.length,
      count,
      options.episodeSteps ?? defaultParameters.episodeSteps,
      seed,
    );
    return { options, episodes };
  };
  const scoreRule = { violationPrice: parameters.violationPrice ?? defaultParameters.violationPrice };
  const { validationEpisodes, heldOutEpisodes, hpaTargetsPercent } = spec.evaluate;
  const uncalibrated = partOf(optionsOn(parts.validate), validationEpisodes, episodeSeeds.validate);
  const hpaTargetPercent =
    parameters.hpaTargetPercent ??
    calibrateHpa(uncalibrated.options, uncalibrated.episodes, hpaTargetsPercent, scoreRule).hpaTargetPercent;
  return {
    scoreRule,
    train: { ...optionsOn(parts.train), hpaTargetPercent },
    validate: { ...uncalibrated, options: { ...uncalibrated.options, hpaTargetPercent } },
    heldOut: () => partOf({ ...optionsOn(parts.heldOut), hpaTargetPercent }, heldOutEpisodes, episodeSeeds.heldOut),
  };
}

function unknownEnvironment(name: string): CoxswainError {
  return new CoxswainError(
    'ENVIRONMENT_INVALID',
    `environment.name: found "${name}"; a pipeline can use: online-boutique.`,
  );
}
