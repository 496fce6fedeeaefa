import type { SpaceRow } from '../../environment.ts';
import { EMBB, MMTC, SLICES, URLLC } from './slices.ts';
import { BEST_CHANNEL, LONGEST_WAIT, PROPORTIONAL_FAIR, ROUND_ROBIN, SCHEDULERS } from './scheduler.ts';

/** Blocks of one choice of the first two heads, and the choices: 0, 5 … 50 blocks. */
export const BLOCKS_PER_CHOICE = 5;
const BLOCK_CHOICES = 11;
/** Transmit power as a share of the full one: 0, −3, −6, −9 dB. */
export const POWERS: readonly number[] = [1, 10 ** -0.3, 10 ** -0.6, 10 ** -0.9];

/**
 * The schedulers that each slice's choices mean. Proportional fairness is for traffic that takes all it can get, the age
 * of data for traffic with deadlines.
 */
export const SCHEDULERS_OF: readonly (readonly number[])[] = [
  [ROUND_ROBIN, PROPORTIONAL_FAIR, BEST_CHANNEL],
  [ROUND_ROBIN, BEST_CHANNEL, LONGEST_WAIT],
  [ROUND_ROBIN, BEST_CHANNEL, LONGEST_WAIT],
];

/** The heads: blocks of URLLC and mMTC, then each slice's scheduler, then each slice's power. */
export const HEADS = { urllcBlocks: 0, mmtcBlocks: 1, scheduler: 2, power: 2 + SLICES.length } as const;

/** Choices of each head. */
export const CHOICES: readonly number[] = [
  BLOCK_CHOICES,
  BLOCK_CHOICES,
  ...SCHEDULERS_OF.map((schedulers) => schedulers.length),
  ...SLICES.map(() => POWERS.length),
];

/** The slice that each head is about. */
const SLICE_OF_HEAD: readonly number[] = [URLLC, MMTC, EMBB, URLLC, MMTC, EMBB, URLLC, MMTC];

/** Writes the mask: a slice without users leaves only choice 0. */
export function writeMask(usersOf: (slice: number) => number, mask: Uint8Array): void {
  let start = 0;
  CHOICES.forEach((count, head) => {
    mask.fill(usersOf(SLICE_OF_HEAD[head]) > 0 ? 1 : 0, start, start + count);
    mask[start] = 1;
    start += count;
  });
}

/** The action table. */
export function actionTable(): SpaceRow[] {
  const rows = [
    ...['urllc', 'mmtc'].map((slice) => ({
      name: `${slice}Blocks`,
      meaning: `resource blocks of the ${slice} slice, in fives: 0, 5 … 50; eMBB has what both leave of 100`,
    })),
    ...SLICES.map((slice, index) => ({
      name: `${slice}Scheduler`,
      meaning: SCHEDULERS_OF[index].map((scheduler, choice) => `${choice} ${SCHEDULERS[scheduler]}`).join(', '),
    })),
    ...SLICES.map((slice) => ({ name: `${slice}Power`, meaning: '0 full power, 1 −3 dB, 2 −6 dB, 3 −9 dB' })),
  ];
  return rows.map((row, head) => ({ index: String(head), unit: 'choice', low: 0, high: CHOICES[head] - 1, ...row }));
}
