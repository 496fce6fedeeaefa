import type { Algorithm } from '../algorithm.ts';
import { a2c } from './a2c.ts';
import { ppo } from './ppo.ts';

/** The algorithms that come with Coxswain, by name. */
export const algorithms: Readonly<Record<string, Algorithm>> = {
  [a2c.name]: a2c,
  [ppo.name]: ppo,
};
