import { CoxswainError } from '../../contracts/errors.ts';

/** One scaling policy: at most `value` pods, or percent of the pods at its start, within a period. */
export interface ScalingPolicy {
  readonly kind: 'pods' | 'percent';
  readonly value: number;
  readonly periodSeconds: number;
}

/** `behavior.scaleUp` or `behavior.scaleDown` of autoscaling/v2. */
export interface ScalingRules {
  readonly stabilizationWindowSeconds: number;
  /** Which policy counts: the one that allows most change, the one that allows least, or none at all. */
  readonly selectPolicy: 'max' | 'min' | 'disabled';
  readonly policies: readonly ScalingPolicy[];
}

/** What decides an HPA's behaviour beside its metrics. Defaults are those of Kubernetes. */
export interface HpaSettings {
  /** `averageUtilization` of the CPU, percent of the request. */
  readonly targetPercent: number;
  /** Ratios of usage to target within 1 ± tolerance change nothing. Default 0.1. */
  readonly tolerance: number;
  /** Default: 0 s; the greater of +100 % and +4 pods in 15 s. */
  readonly scaleUp: ScalingRules;
  /** Default: 300 s; −100 % in 15 s. */
  readonly scaleDown: ScalingRules;
}

/** The defaults of autoscaling/v2 with a CPU target. */
export function defaultHpaSettings(targetPercent: number): HpaSettings {
  return {
    targetPercent,
    tolerance: 0.1,
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'max',
      policies: [
        { kind: 'pods', value: 4, periodSeconds: 15 },
        { kind: 'percent', value: 100, periodSeconds: 15 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: 300,
      selectPolicy: 'max',
      policies: [{ kind: 'percent', value: 100, periodSeconds: 15 }],
    },
  };
}

/** @throws CoxswainError CONFIG_INVALID when Kubernetes would refuse the settings. */
export function validateHpaSettings(settings: HpaSettings): HpaSettings {
  const require = (holds: boolean, what: string): void => {
    if (!holds) throw new CoxswainError('CONFIG_INVALID', `HPA settings: ${what}.`);
  };
  require(Number.isInteger(settings.targetPercent) &&
    settings.targetPercent >= 1, `targetPercent must be a whole number ≥ 1, not ${settings.targetPercent}`);
  require(settings.tolerance >= 0 && settings.tolerance < 1, `tolerance must be in [0, 1), not ${settings.tolerance}`);
  for (const [name, rules] of [['scaleUp', settings.scaleUp] as const, ['scaleDown', settings.scaleDown] as const]) {
    const window = rules.stabilizationWindowSeconds;
    require(window >= 0 && window <= 3600, `${name}.stabilizationWindowSeconds must be 0 … 3600, not ${window}`);
    require(rules.policies.length > 0, `${name}.policies must not be empty`);
    for (const { value, periodSeconds } of rules.policies) {
      require(Number.isInteger(value) &&
        value > 0, `${name}: a policy's value must be a whole number > 0, not ${value}`);
      require(periodSeconds > 0 &&
        periodSeconds <= 1800, `${name}: a policy's period must be 1 … 1800 s, not ${periodSeconds}`);
    }
  }
  return settings;
}
