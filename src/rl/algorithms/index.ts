import type { Algorithm } from '../algorithm.ts';
import { a2c } from './a2c.ts';
import { a3c } from './a3c.ts';
import { ddpg } from './ddpg.ts';
import { dqn } from './dqn.ts';
import { graphPpo } from './graph-ppo.ts';
import { ppo } from './ppo.ts';
import { qLearning } from './q-learning.ts';
import { sacDiscrete } from './sac-discrete.ts';
import { sac } from './sac.ts';
import { sarsa } from './sarsa.ts';
import { td3 } from './td3.ts';

/** The algorithms that come with Coxswain, by name. */
export const algorithms: Readonly<Record<string, Algorithm>> = {
  [a2c.name]: a2c,
  [a3c.name]: a3c,
  [ddpg.name]: ddpg,
  [dqn.name]: dqn,
  [graphPpo.name]: graphPpo,
  [ppo.name]: ppo,
  [qLearning.name]: qLearning,
  [sac.name]: sac,
  [sacDiscrete.name]: sacDiscrete,
  [sarsa.name]: sarsa,
  [td3.name]: td3,
};
