/** Carrier, GHz: the band n78. */
export const CARRIER_GHZ = 3.5;
const LIGHT_METRES_PER_SECOND = 299_792_458;
const BASE_HEIGHT = 25;
const USER_HEIGHT = 1.5;
/** 4 h'BS h'UT fc / c with antenna heights less 1 m, metres. */
const BREAKPOINT = (4 * (BASE_HEIGHT - 1) * (USER_HEIGHT - 1) * CARRIER_GHZ * 1e9) / LIGHT_METRES_PER_SECOND;
const HEIGHT_SQUARED = (BASE_HEIGHT - USER_HEIGHT) ** 2;
const CARRIER_TERM = 20 * Math.log10(CARRIER_GHZ);

/** The nearest that a user comes to the mast, metres: the formulas hold from 10 m on. */
export const NEAREST_METRES = 20;

/** Standard deviation of the shadow fading, dB, and the distance over which it decorrelates, metres (table 7.5-6). */
export const SHADOWING = {
  lineOfSight: { deviationDb: 4, decorrelationMetres: 37 },
  obstructed: { deviationDb: 6, decorrelationMetres: 50 },
} as const;

/**
 * Path loss of the scenario urban macro, dB (3GPP TR 38.901, table 7.4.1-1, UMa; antenna heights 25 m and 1.5 m).
 * @param metres distance on the ground, 10 m … 5 km.
 */
export function pathLossDb(metres: number, lineOfSight: boolean): number {
  const logDistance = 0.5 * Math.log10(metres * metres + HEIGHT_SQUARED);
  const open =
    metres <= BREAKPOINT
      ? 28 + 22 * logDistance + CARRIER_TERM
      : 28 + 40 * logDistance + CARRIER_TERM - 9 * Math.log10(BREAKPOINT * BREAKPOINT + HEIGHT_SQUARED);
  return lineOfSight ? open : Math.max(open, 13.54 + 39.08 * logDistance + CARRIER_TERM);
}

/** Probability of a line of sight in the scenario urban macro (3GPP TR 38.901, table 7.4.2-1, user at 1.5 m). */
export function lineOfSightProbability(metres: number): number {
  return metres <= 18 ? 1 : 18 / metres + Math.exp(-metres / 63) * (1 - 18 / metres);
}

/** Time over which the fast fading decorrelates, seconds: 0.423 / Doppler shift (Rappaport, "Wireless Communications", 2002). */
export function coherenceSeconds(metresPerSecond: number): number {
  return (0.423 * LIGHT_METRES_PER_SECOND) / (metresPerSecond * CARRIER_GHZ * 1e9);
}
