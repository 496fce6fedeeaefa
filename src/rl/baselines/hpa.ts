import type { ClusterView, Controller } from './controller.ts';
import { defaultHpaSettings, validateHpaSettings } from './hpa-settings.ts';
import type { HpaSettings, ScalingRules } from './hpa-settings.ts';
import { replicasForUtilisation } from './replica-calculator.ts';

/** A number with the second it was noted. */
interface Noted {
  readonly atSeconds: number;
  readonly value: number;
}

/** What the HPA remembers of one service. */
interface Memory {
  recommendations: Noted[];
  /** Changes of the replicas that it made itself, positive up, negative down. */
  changes: Noted[];
}

/** State of a {@link Hpa} as JSON; null for a service of which it remembers nothing. */
export type HpaState = readonly ({
  readonly recommendations: readonly Noted[];
  readonly changes: readonly Noted[];
} | null)[];

/**
 * The Horizontal Pod Autoscaler of Kubernetes (autoscaling/v2) on CPU utilisation, one for each service. `decide` is one
 * sync; it is meant to be called every 15 s, the controller's default period.
 *
 * 1. The replicas that the usage asks for: replica-calculator.ts.
 * 2. Stabilisation: no further up than the lowest recommendation of the up window, no further down than the highest of
 *    the down window; the replicas found at the first sync count as a recommendation.
 * 3. Scaling policies bound the change within their periods; the minimum and maximum bound the result.
 */
export class Hpa implements Controller {
  readonly name: string;
  private readonly settings: HpaSettings;
  /** How long recommendations and changes count. */
  private readonly windowSeconds: number;
  private readonly periodSeconds: number;
  private memories: (Memory | null)[] = [];

  /** @throws CoxswainError CONFIG_INVALID when the settings are not allowed. */
  constructor(settings: HpaSettings, name = `hpa-${settings.targetPercent}`) {
    this.settings = validateHpaSettings(settings);
    const { scaleUp, scaleDown } = settings;
    this.windowSeconds = Math.max(scaleUp.stabilizationWindowSeconds, scaleDown.stabilizationWindowSeconds);
    this.periodSeconds = Math.max(
      ...[...scaleUp.policies, ...scaleDown.policies].map((policy) => policy.periodSeconds),
    );
    this.name = name;
  }

  reset(): void {
    this.memories = [];
  }

  decide(view: ClusterView, desiredReplicas: Int32Array): void {
    for (let s = 0; s < view.services.length; s++) desiredReplicas[s] = this.decideService(view, s);
  }

  /** Forgets what it has seen of one service. */
  forget(service: number): void {
    this.memories[service] = null;
  }

  saveState(): HpaState {
    return structuredClone(Array.from(this.memories, (memory) => memory ?? null));
  }

  loadState(state: HpaState): void {
    this.memories = state.map(
      (memory) => memory && { recommendations: [...memory.recommendations], changes: [...memory.changes] },
    );
  }

  /** The wanted replicas of one service, as its sync. */
  decideService(view: ClusterView, s: number): number {
    const current = view.desiredReplicas[s];
    const minimum = view.minReplicas[s];
    const maximum = view.maxReplicas[s];
    const now = view.timeSeconds;
    const memory = (this.memories[s] ??= { recommendations: [{ atSeconds: now, value: current }], changes: [] });
    let replicas: number;
    if (current > maximum) replicas = maximum;
    else if (current < minimum) replicas = minimum;
    else {
      const wanted = this.wantedReplicas(view, s);
      const stable = this.stabilise(memory, now, current, wanted);
      replicas = this.limitRate(memory, now, current, stable, minimum, maximum);
    }
    if (replicas !== current) memory.changes.push({ atSeconds: now, value: replicas - current });
    dropUntil(memory.recommendations, now - this.windowSeconds);
    dropUntil(memory.changes, now - this.periodSeconds);
    return replicas;
  }

  private wantedReplicas(view: ClusterView, s: number): number {
    const pods = {
      currentReplicas: view.desiredReplicas[s],
      ready: view.readyPods[s],
      unready: view.unreadyPods[s],
      missing: view.missingPods[s],
      usageMillicores: view.cpuUsageMillicores[s],
      requestMillicores: view.cpuRequestMillicores[s],
    };
    return replicasForUtilisation(pods, this.settings.targetPercent, this.settings.tolerance);
  }

  private stabilise(memory: Memory, now: number, current: number, wanted: number): number {
    const upSince = now - this.settings.scaleUp.stabilizationWindowSeconds;
    const downSince = now - this.settings.scaleDown.stabilizationWindowSeconds;
    let up = wanted;
    let down = wanted;
    for (const { atSeconds, value } of memory.recommendations) {
      if (atSeconds > upSince && value < up) up = value;
      if (atSeconds > downSince && value > down) down = value;
    }
    memory.recommendations.push({ atSeconds: now, value: wanted });
    return Math.min(down, Math.max(up, current));
  }

  private limitRate(
    memory: Memory,
    now: number,
    current: number,
    wanted: number,
    minimum: number,
    maximum: number,
  ): number {
    if (wanted > current) {
      const limit = Math.max(current, limitUp(this.settings.scaleUp, memory, now, current));
      return Math.min(wanted, limit, maximum);
    }
    if (wanted < current) {
      const limit = Math.min(current, limitDown(this.settings.scaleDown, memory, now, current));
      return Math.max(wanted, limit, minimum);
    }
    return wanted;
  }
}

function limitUp(rules: ScalingRules, memory: Memory, now: number, current: number): number {
  const limits = rules.policies.map(({ kind, value, periodSeconds }) => {
    const before = current - changedSince(memory, now - periodSeconds);
    return kind === 'pods' ? before + value : Math.ceil(before * (1 + value / 100));
  });
  return select(rules, current, limits, Math.max, Math.min);
}

function limitDown(rules: ScalingRules, memory: Memory, now: number, current: number): number {
  const limits = rules.policies.map(({ kind, value, periodSeconds }) => {
    const before = current - changedSince(memory, now - periodSeconds);
    return kind === 'pods' ? before - value : Math.trunc(before * (1 - value / 100));
  });
  return select(rules, current, limits, Math.min, Math.max);
}

function select(
  rules: ScalingRules,
  current: number,
  limits: readonly number[],
  most: (...values: number[]) => number,
  least: (...values: number[]) => number,
): number {
  if (rules.selectPolicy === 'disabled') return current;
  return rules.selectPolicy === 'max' ? most(...limits) : least(...limits);
}

/**
 * An HPA with the defaults of Kubernetes and what is given instead of them.
 * @throws CoxswainError CONFIG_INVALID when the settings are not allowed.
 */
export function createHpa(settings: Partial<HpaSettings> & { readonly targetPercent: number }): Hpa {
  return new Hpa({ ...defaultHpaSettings(settings.targetPercent), ...settings });
}

/** Net change of the replicas after `sinceSeconds`. */
function changedSince(memory: Memory, sinceSeconds: number): number {
  return memory.changes.reduce((sum, { atSeconds, value }) => (atSeconds > sinceSeconds ? sum + value : sum), 0);
}

function dropUntil(noted: Noted[], untilSeconds: number): void {
  let old = 0;
  while (old < noted.length && noted[old].atSeconds <= untilSeconds) old++;
  if (old === 1) noted.shift();
  else if (old > 1) noted.splice(0, old);
}
