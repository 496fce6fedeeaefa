import { parameterHelp, parseParameters } from '../parameters.ts';
import type { ParameterValues } from '../parameters.ts';

/** The name under which the environment is registered. */
export const NAME = 'radio-resources';

/** The parameters of the environment. */
export const parameterTable = {
  episodeSteps: { default: 500, low: 1, high: 100_000, whole: true, meaning: 'Radio frames (10 ms) of an episode' },
  embbUsers: { default: 8, low: 1, high: 64, whole: true, meaning: 'Most users of the eMBB slice at once' },
  urllcUsers: { default: 8, low: 1, high: 64, whole: true, meaning: 'Most users of the URLLC slice at once' },
  mmtcUsers: { default: 8, low: 1, high: 64, whole: true, meaning: 'Most device groups of the mMTC slice at once' },
  cellRadius: {
    default: 250,
    low: 50,
    high: 2000,
    meaning: 'Farthest distance of a user, half the distance of the sites, m',
  },
  highestSpeed: { default: 15, low: 0.5, high: 80, meaning: 'Fastest user, m/s; each draws its speed up to this' },
  neighbourLoad: {
    default: 0.5,
    low: 0,
    high: 1,
    meaning: 'Mean share of the time that the six neighbouring cells send',
  },
  fullBufferShare: {
    default: 0.25,
    low: 0,
    high: 1,
    meaning: 'Share of the eMBB users who always have data; the others watch video',
  },
  videoMbps: {
    default: 12,
    low: 0.5,
    high: 200,
    meaning: 'Mean rate of a video, Mbit/s; each is drawn from ±70 % of it',
  },
  targetMbps: {
    default: 25,
    low: 0.5,
    high: 1000,
    meaning: 'Throughput at which a user with a full buffer is satisfied, Mbit/s',
  },
  urllcPacketBytes: { default: 256, low: 16, high: 10_000, whole: true, meaning: 'Size of a URLLC packet, bytes' },
  urllcDeadlineMs: {
    default: 5,
    low: 1,
    high: 10,
    whole: true,
    meaning: 'A URLLC packet that waits longer is lost, ms',
  },
  mmtcMessageBytes: { default: 500, low: 16, high: 10_000, whole: true, meaning: 'Size of an mMTC message, bytes' },
  mmtcDeadlineFrames: {
    default: 20,
    low: 1,
    high: 200,
    whole: true,
    meaning: 'An mMTC message that waits longer is lost, frames of 10 ms',
  },
  throughputWeight: { default: 1, low: 0, high: 100, meaning: 'Weight of the eMBB throughput utility in the reward' },
  latencyWeight: { default: 2, low: 0, high: 100, meaning: 'Weight of the late share of URLLC and mMTC in the reward' },
  energyWeight: {
    default: 0.3,
    low: 0,
    high: 100,
    meaning: 'Weight of the energy, as a share of the highest, in the reward',
  },
} as const;

/** All parameters with their values. */
export type RadioParameters = ParameterValues<typeof parameterTable>;

/** Each parameter and what it means. */
export const radioParameterHelp = parameterHelp(parameterTable);

/** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
export function parseRadioParameters(input: Readonly<Record<string, unknown>>): RadioParameters {
  return parseParameters(NAME, parameterTable, input);
}
