import type { Algorithm } from '../algorithm.ts';
import { ppo } from './ppo.ts';

/** The algorithms that come with Coxswain, by name. */
export const algorithms: Readonly<Record<string, Algorithm>> = {
  [ppo.name]: ppo,
};
