/** What a policy may do to one workload. */
export interface WorkloadLimits {
  /** `namespace/name`; a workload without limits is never touched. */
  readonly workload: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Largest change of one decision, replicas. */
  readonly maxStepUp: number;
  readonly maxStepDown: number;
  /** Least time between the last change and the next one upwards or downwards. */
  readonly coolDownUpSeconds: number;
  readonly coolDownDownSeconds: number;
}

/** Hours in which nothing is changed, every week; `toMinute` ≤ `fromMinute` goes on into the next day. */
export interface FrozenHours {
  /** Days on which they begin: 0 = Sunday … 6 = Saturday, UTC. */
  readonly days: readonly number[];
  /** Minutes since midnight, UTC. */
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** What a policy may do at all. */
export interface GuardRules {
  /** The allow-list, with limits. */
  readonly workloads: readonly WorkloadLimits[];
  /** Pod-hours that all workloads together may use in a window; null = no budget. */
  readonly podHours: { readonly budget: number; readonly windowHours: number } | null;
  readonly frozen: readonly FrozenHours[];
  /** Observations older than so many control steps lead to no action. */
  readonly maxObservationAgeSteps: number;
}

/** True when the moment lies in frozen hours. */
export function isFrozen(frozen: readonly FrozenHours[], at: Date): boolean {
  const minute = at.getUTCHours() * 60 + at.getUTCMinutes();
  const day = at.getUTCDay();
  return frozen.some(({ days, fromMinute, toMinute }) => {
    if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
    const began = days.includes(day) && minute >= fromMinute;
    const goesOn = days.includes((day + 6) % 7) && minute < toMinute;
    return began || goesOn;
  });
}

/** What is wrong with rules, a sentence each, with the path; none when nothing is. */
export function flawsOfRules({ workloads, podHours, frozen, maxObservationAgeSteps }: GuardRules): string[] {
  const flaws: string[] = [];
  const check = (holds: boolean, path: string, found: unknown, allowed: string): void => {
    if (!holds) flaws.push(`${path}: found ${JSON.stringify(found)}; allowed: ${allowed}`);
  };
  const names = workloads.map(({ workload }) => workload);
  check(new Set(names).size === names.length, 'workloads', names, 'each workload once');
  for (const limits of workloads) {
    const at = `workloads[${limits.workload}]`;
    const { workload, minReplicas, maxReplicas, maxStepUp, maxStepDown, coolDownUpSeconds, coolDownDownSeconds } =
      limits;
    check(/^[^/]+\/[^/]+$/.test(workload), at, workload, 'namespace/name');
    check(isWhole(minReplicas, 0), `${at}.minReplicas`, minReplicas, 'a whole number from 0');
    check(isWhole(maxReplicas, minReplicas), `${at}.maxReplicas`, maxReplicas, 'a whole number from minReplicas');
    check(isWhole(maxStepUp, 0), `${at}.maxStepUp`, maxStepUp, 'a whole number from 0');
    check(isWhole(maxStepDown, 0), `${at}.maxStepDown`, maxStepDown, 'a whole number from 0');
    check(coolDownUpSeconds >= 0, `${at}.coolDownUpSeconds`, coolDownUpSeconds, 'a number from 0');
    check(coolDownDownSeconds >= 0, `${at}.coolDownDownSeconds`, coolDownDownSeconds, 'a number from 0');
  }
  check(podHours === null || podHours.budget > 0, 'podHours.budget', podHours?.budget, 'a number above 0');
  check(
    podHours === null || podHours.windowHours > 0,
    'podHours.windowHours',
    podHours?.windowHours,
    'a number above 0',
  );
  check(isWhole(maxObservationAgeSteps, 0), 'maxObservationAgeSteps', maxObservationAgeSteps, 'a whole number from 0');
  frozen.forEach(({ days, fromMinute, toMinute }, index) => {
    const at = `frozen[${index}]`;
    check(days.length > 0 && days.every((day) => isWhole(day, 0) && day <= 6), `${at}.days`, days, 'some of 0 … 6');
    check(isWhole(fromMinute, 0) && fromMinute < 1440, `${at}.fromMinute`, fromMinute, '0 … 1439');
    check(isWhole(toMinute, 0) && toMinute <= 1440, `${at}.toMinute`, toMinute, '0 … 1440');
  });
  return flaws;
}

function isWhole(value: number, low: number): boolean {
  return Number.isInteger(value) && value >= low;
}
