import { createFixedReplicas } from '../baselines/fixed-replicas.ts';
import { createHpa } from '../baselines/hpa.ts';
import type { ScalingTask } from '../environments/scaling-environment.ts';
import type { Episode } from './episodes.ts';
import { evaluateController } from './evaluate.ts';
import type { EpisodeMeasures } from './evaluate.ts';
import { meanViolationRate, scoreOf } from './score.ts';
import type { ScoreRule } from './score.ts';

/** One CPU target with what it came to on the validation episodes. */
export interface HpaCandidate {
  readonly targetPercent: number;
  readonly score: number;
  readonly measures: readonly EpisodeMeasures[];
}

/** The HPA's target as the validation part chose it. */
export interface HpaCalibration {
  readonly hpaTargetPercent: number;
  readonly candidates: readonly HpaCandidate[];
}

/** Both baselines as the validation part chose them. */
export interface Calibration extends HpaCalibration {
  /** Per service, in the application's order, or per slot. */
  readonly fixedReplicas: readonly number[];
}

const defaultTargetsPercent = [20, 40, 60, 80];

/** Share of requests above the SLO with which fixed replicas still meet it on the validation part. */
const FIXED_VIOLATIONS = 0.001;

/**
 * Chooses the HPA's CPU target with the best score; of equal ones the lowest. Deterministic; what a training with
 * `actionBase: 'hpa'` needs.
 */
export function calibrateHpa(
  task: ScalingTask,
  episodes: readonly Episode[],
  targetsPercent: readonly number[] = defaultTargetsPercent,
  rule: Partial<ScoreRule> = {},
): HpaCalibration {
  const candidates = targetsPercent
    .toSorted((a, b) => a - b)
    .map((targetPercent) => {
      const measures = evaluateController(createHpa({ targetPercent }), task, episodes);
      return { targetPercent, score: scoreOf(measures, rule), measures };
    });
  const best = candidates.reduce((a, b) => (b.score < a.score ? b : a));
  return { hpaTargetPercent: best.targetPercent, candidates };
}

/** Chooses the HPA's target and the fixed counts on validation episodes. Deterministic; a second or two. */
export function calibrate(
  task: ScalingTask,
  episodes: readonly Episode[],
  targetsPercent: readonly number[] = defaultTargetsPercent,
  rule: Partial<ScoreRule> = {},
): Calibration {
  return {
    ...calibrateHpa(task, episodes, targetsPercent, rule),
    fixedReplicas: calibrateFixed(task, episodes),
  };
}

/**
 * The smallest count of each service that meets the SLO on all validation episodes together: at most a share of
 * {@link FIXED_VIOLATIONS} of the requests above it. From the maximum down, service by service in the application's order
 * and by bisection, each with the counts already found, and each with its part of the violations to spend.
 */
function calibrateFixed(task: ScalingTask, episodes: readonly Episode[]): number[] {
  const { limits } = task;
  const replicas = limits.map(({ maxReplicas }) => maxReplicas);
  const violations = (): number => meanViolationRate(evaluateController(createFixedReplicas(replicas), task, episodes));
  const fewest = violations();
  limits.forEach(({ minReplicas, maxReplicas }, index) => {
    const allowed = Math.max(fewest, (FIXED_VIOLATIONS * (index + 1)) / limits.length);
    let enough = maxReplicas;
    for (let low = minReplicas; low < enough;) {
      replicas[index] = Math.floor((low + enough) / 2);
      if (violations() <= allowed) enough = replicas[index];
      else low = replicas[index] + 1;
    }
    replicas[index] = enough;
  });
  return replicas;
}
