import * as tf from '@tensorflow/tfjs-core';

import { adamSchedule, adamUpdate } from '../tensor/adam.ts';
import { logSoftmax } from '../tensor/operations.ts';
import { ParameterLayout } from '../tensor/parameters.ts';
import { compile } from '../tensor/program.ts';
import { compileUpdateLoop } from '../tensor/update-loop.ts';
import { compileUpdate } from '../tensor/update.ts';
import { fillPenalties, sampleAction } from './action-sampling.ts';
import { explainedVariance, generalisedAdvantages } from './advantages.ts';
import { initialisePerceptron, perceptron, perceptronLayout } from './networks.ts';
import { actionLayoutOf, boundsOf, spaceSize } from './spaces.ts';

/**
 * What an algorithm is built with, handed to it at creation, so that a module outside of this project needs no imports.
 * `tf` must be this one: programs are recorded by it.
 */
export const toolbox = {
  tf,
  compile,
  compileUpdate,
  compileUpdateLoop,
  ParameterLayout,
  adamUpdate,
  adamSchedule,
  logSoftmax,
  perceptron,
  perceptronLayout,
  initialisePerceptron,
  actionLayoutOf,
  boundsOf,
  spaceSize,
  sampleAction,
  fillPenalties,
  generalisedAdvantages,
  explainedVariance,
} as const;

export type Toolbox = typeof toolbox;
