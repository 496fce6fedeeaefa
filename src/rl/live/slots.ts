import type { SlotMemory, SlotOccupant } from '../../contracts/control.ts';

/**
 * Who is in the slots now, as in the simulation (Lifecycle): who leaves frees its slot, a newcomer takes the lowest free
 * one under an identity that nobody had before, newcomers in the order of the services. One that finds no free slot waits
 * for one.
 * @param present services that are there, rising places in the order of the services.
 * @param before after the step before; null = nobody was there.
 */
export function nextSlots(before: SlotMemory | null, present: readonly number[], slots: number): SlotMemory {
  let nextIdentity = before?.nextIdentity ?? 1;
  const occupants = Array.from({ length: slots }, (_, slot): SlotOccupant | null => {
    const occupant = before?.occupants[slot] ?? null;
    return occupant !== null && present.includes(occupant.service) ? occupant : null;
  });
  for (const service of withoutSlot(occupants, present)) {
    const free = occupants.indexOf(null);
    if (free < 0) break;
    occupants[free] = { service, identity: nextIdentity++, measured: false };
  }
  return { occupants, nextIdentity };
}

/** The services that are there and have no slot. */
export function withoutSlot(occupants: SlotMemory['occupants'], present: readonly number[]): number[] {
  const seated = new Set(occupants.map((occupant) => occupant?.service));
  return present.filter((service) => !seated.has(service));
}
