import { BLOCKS } from './slices.ts';

/** Power of a macro base station (Auer et al., "How much energy is needed to run a wireless network?", 2011 — EARTH). */
const TRANSCEIVERS = 2;
/** Highest output of a transceiver, W. */
const HIGHEST_OUTPUT = 20;
/** Consumption of a sending transceiver without output, W. */
const IDLE_POWER = 130;
/** Further consumption for each watt of output. */
const SLOPE = 4.7;
/** Consumption of a transceiver that sleeps, W. */
const SLEEP_POWER = 75;

/** Output of one resource block at full power, dBm: both transceivers, spread evenly over the carrier. */
export const BLOCK_OUTPUT_DBM = 10 * Math.log10((1000 * TRANSCEIVERS * HIGHEST_OUTPUT) / BLOCKS);

/**
 * Energy of 1 ms, joules. A millisecond without anything to send is slept through.
 * @param blocks resource blocks that were sent, each weighted with its power as a share of the full one.
 */
export function energyOfMillisecond(blocks: number): number {
  if (blocks === 0) return TRANSCEIVERS * SLEEP_POWER * 1e-3;
  const output = (TRANSCEIVERS * HIGHEST_OUTPUT * blocks) / BLOCKS;
  return (TRANSCEIVERS * IDLE_POWER + SLOPE * output) * 1e-3;
}

/** The most that a millisecond takes, joules. */
export const HIGHEST_ENERGY = energyOfMillisecond(BLOCKS);
