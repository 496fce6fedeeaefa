import type { OnlineBoutiqueOptions } from '../environments/online-boutique/options.ts';
import type { Episode } from './episodes.ts';
import type { EpisodeMeasures } from './evaluate.ts';
import type { ScoreRule } from './score.ts';

/** The baselines as the validation part chose them. */
export interface Calibration {
  readonly hpaTargetPercent: number;
  /** Per service, in the application's order. */
  readonly fixedReplicas: readonly number[];
  /** Score and mean measures of each candidate target, for the report. */
  readonly candidates: readonly {
    readonly targetPercent: number;
    readonly score: number;
    readonly measures: readonly EpisodeMeasures[];
  }[];
}

/** Chooses the HPA's target alone: what a training with `actionBase: 'hpa'` needs. Deterministic. */
export declare function calibrateHpa(
  options: OnlineBoutiqueOptions,
  episodes: readonly Episode[],
  targetsPercent?: readonly number[],
  rule?: Partial<ScoreRule>,
): { readonly hpaTargetPercent: number; readonly candidates: Calibration['candidates'] };

/** Chooses the HPA's target and the fixed counts on validation episodes. Deterministic; a few seconds. */
export declare function calibrate(
  options: OnlineBoutiqueOptions,
  episodes: readonly Episode[],
  targetsPercent?: readonly number[],
  rule?: Partial<ScoreRule>,
): Calibration;
