import type { SpaceRow } from '../../environment.ts';

/** Choices of one service: nothing, 1 … 7 replicas more, 1 … 7 replicas fewer. */
export const CHOICES = 15;
/** The largest change of one action. */
export const LARGEST_CHANGE = 7;

/** The change of replicas that a choice means. */
export function changeOf(choice: number): number {
  return choice <= LARGEST_CHANGE ? choice : LARGEST_CHANGE - choice;
}

/** The choice that means a change of −7 … 7 replicas. */
export function choiceOf(change: number): number {
  return change >= 0 ? change : LARGEST_CHANGE - change;
}

/** Writes the mask of a service: a change from `base` is allowed when the result lies in low … high; none always is. */
export function maskService(mask: Uint8Array, service: number, base: number, low: number, high: number): void {
  const first = service * CHOICES;
  mask[first] = 1;
  for (let change = 1; change <= LARGEST_CHANGE; change++) {
    mask[first + change] = base + change <= high ? 1 : 0;
    mask[first + LARGEST_CHANGE + change] = base - change >= low ? 1 : 0;
  }
}

/** The action table: one head for each service. */
export function replicaActionTable(services: readonly string[]): SpaceRow[] {
  return services.map((service, index) => ({
    index: String(index),
    name: service,
    unit: 'choice',
    low: 0,
    high: CHOICES - 1,
    meaning: '0 = no change, 1 … 7 = that many replicas more, 8 … 14 = 1 … 7 replicas fewer',
  }));
}
