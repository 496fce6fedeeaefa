import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import type { EnvironmentDescription, Space } from '../../../../src/rl/environment.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { UpdateState } from '../../../../src/rl/update-state.ts';
import type { UpdateLayout, Vectors } from '../../../../src/rl/update-state.ts';
import { adamSchedule } from '../../../../src/tensor/adam.ts';
import { elementCount } from '../../../../src/tensor/graph.ts';
import type { NamedValues, Values } from '../../../../src/tensor/loaded-model.ts';
import { compile } from '../../../../src/tensor/program.ts';
import type { InputSpec, Program, Tensors } from '../../../../src/tensor/trace.ts';
import { assertClose } from '../../tensor/compare.ts';

/** An environment that is only described. */
export function described(actionSpace: Space, observations: number, masked = false): EnvironmentDescription {
  return {
    name: 'toy',
    observationSpace: { kind: 'box', shape: [observations], low: -1, high: 1 },
    actionSpace,
    actionMaskSize: masked && actionSpace.kind === 'discrete' ? actionSpace.n : 0,
    maxEpisodeSteps: null,
    observationTable: [],
    actionTable: [],
  };
}

/** What the models of off-policy algorithms have in common. */
interface OffPolicyModel {
  readonly layout: UpdateLayout;
  readonly updateInputs: Record<string, InputSpec>;
  initialise(state: Vectors, generator: Generator): void;
}

/** The outputs of one update of `state` (by default what `fill` makes of zeros), compiled. */
export async function updated(
  model: OffPolicyModel,
  program: Program,
  fill: (state: Vectors) => void,
  others: Readonly<Record<string, number[]>>,
): Promise<NamedValues> {
  const state = new UpdateState(model.layout);
  fill(state.present);
  const compiled = await compile(program, model.updateInputs);
  const given = Object.entries(others).map(([name, values]) => [name, Float32Array.from(values)]);
  const results = await compiled.run({ ...state.present, ...(Object.fromEntries(given) as Record<string, Values>) });
  await compiled.dispose();
  return results;
}

/**
 * Makes updates one after the other, compiled and on TF.js's CPU backend, from the same random start and minibatches.
 * @param programs taken in turn.
 * @throws AssertionError when a number differs by more than `tolerance`.
 */
export async function assertSameUpdates(
  model: OffPolicyModel,
  programs: readonly Program[],
  {
    updates = 4,
    tolerance = 1e-5,
    adjust = (): void => {},
  }: {
    updates?: number;
    tolerance?: number;
    /** Makes minibatches of random draws possible ones. */
    adjust?: (batch: Record<string, Float32Array>, generator: Generator) => void;
  } = {},
): Promise<Record<string, number[]>> {
  const generator = new Generator(23);
  const state = new UpdateState(model.layout);
  model.initialise(state.present, generator);
  for (const values of Object.values(state.present)) {
    values.forEach((value, i) => (values[i] = value + 0.05 * generator.normal()));
  }
  for (const [name, values] of Object.entries(state.present)) {
    if (name.endsWith('secondMoment')) values.forEach((value, i) => (values[i] = 1e-3 + value * value));
  }
  let onCpu: Record<string, Values> = { ...state.present };
  const compiled = await Promise.all(programs.map((program) => compile(program, model.updateInputs)));
  const seen: Record<string, number[]> = {};
  for (let made = 0; made < updates; made++) {
    const batch = randomBatch(model, generator, made);
    adjust(batch, generator);
    const which = made % programs.length;
    const expected = await onCpuBackend(model, programs[which], { ...onCpu, ...batch });
    const actual = await compiled[which].run({ ...state.present, ...batch }, state.next);
    state.turn();
    for (const [name, values] of Object.entries(expected)) assertClose(actual[name], values, tolerance, name);
    for (const name of Object.keys(expected).filter((name) => !name.startsWith('next.'))) {
      (seen[name] ??= []).push(expected[name][0]);
    }
    onCpu = Object.fromEntries(Object.keys(onCpu).map((name) => [name, expected[`next.${name}`]]));
  }
  await Promise.all(compiled.map((program) => program.dispose()));
  return seen;
}

function randomBatch(model: OffPolicyModel, generator: Generator, made: number): Record<string, Float32Array> {
  const { stepSize, epsilon } = adamSchedule(made, 1, 3e-3, 1e-8);
  const scalars: Record<string, Float32Array> = {
    stepSize,
    epsilon,
    policyStepSize: stepSize,
    policyEpsilon: epsilon,
    targetRate: Float32Array.of(0.1),
    targetEntropy: Float32Array.of(0.4),
  };
  const carried = new Set(Object.keys(model.layout.sizes));
  const names = Object.keys(model.updateInputs).filter((name) => !carried.has(name));
  return Object.fromEntries(
    names.map((name) => {
      const draws = elementCount(model.updateInputs[name].shape as number[]);
      return [name, scalars[name] ?? Float32Array.from({ length: draws }, () => generator.normal())];
    }),
  );
}

async function onCpuBackend(
  model: OffPolicyModel,
  program: Program,
  values: Record<string, Values>,
): Promise<Record<string, Values>> {
  await tf.setBackend('cpu');
  const tensors: Tensors = Object.fromEntries(
    Object.entries(model.updateInputs).map(([name, { shape }]) => [name, tf.tensor(values[name], shape as number[])]),
  );
  const results = tf.tidy(() => program(tensors)) as Tensors;
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.dataSync<'float32'>()]));
}
