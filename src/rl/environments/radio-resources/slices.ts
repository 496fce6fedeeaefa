/** Physical resource blocks of the carrier. */
export const BLOCKS = 100;
/** Milliseconds of a radio frame: the time between two decisions. */
export const FRAME_MS = 10;

/** The slices, in the order of users, heads and features. */
export const SLICES = ['embb', 'urllc', 'mmtc'] as const;
/** Numbers of the slices. */
export const EMBB = 0;
export const URLLC = 1;
export const MMTC = 2;

/** First user of each slice, and one entry more: the number of users. */
export type SliceBounds = readonly [embb: number, urllc: number, mmtc: number, end: number];

/** Users are numbered slice after slice. */
export function sliceBounds(users: readonly [embb: number, urllc: number, mmtc: number]): SliceBounds {
  return [0, users[0], users[0] + users[1], users[0] + users[1] + users[2]];
}
