import { broadcast_util } from '@tensorflow/tfjs-core';

/** The shape that two shapes broadcast to. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  return broadcast_util.assertAndGetBroadcastShape([...a], [...b]);
}
