import * as tf from '@tensorflow/tfjs-core';

import { builtOn } from '../tensor/built-on.ts';
import type { DeviceName } from '../tensor/device.ts';
import { ParameterLayout } from '../tensor/parameters.ts';
import { compile } from '../tensor/program.ts';
import type { InputSpec, Tensors } from '../tensor/trace.ts';
import { actionDistribution, logDeviationName } from './action-distribution.ts';
import type { ActionDistribution } from './action-distribution.ts';
import type { EnvironmentDescription } from './environment.ts';
import { hiddenLayers, initialisePerceptron, lastLayer, perceptron, perceptronLayout } from './networks.ts';
import type { PerceptronShape } from './networks.ts';
import type { PolicyArchitecture } from './policy-architecture.ts';
import type { Generator } from './random.ts';
import type { ActingModel, ActingPrograms } from './rollout-collector.ts';
import { spaceSize } from './spaces.ts';

/** The networks of an actor-critic algorithm. */
export interface ActorCriticConfig {
  readonly hiddenSizes: readonly number[];
  readonly activation: 'tanh' | 'relu';
  /** One trunk of hidden layers under both heads, or a network for each. */
  readonly sharedNetwork: boolean;
  /** ln of the deviation of every element of a continuous action at the start. */
  readonly initialLogDeviation: number;
}

/** What a policy and a value network make of some observations. */
export interface Evaluation {
  /** ln of the probability (density) of each action, [batch]. */
  readonly logProbability: tf.Tensor;
  /** Mean over the batch. */
  readonly entropy: tf.Tensor;
  /** [batch] */
  readonly values: tf.Tensor;
}

/**
 * A policy and a value network, and what is compiled from them. All weights lie in one flat vector, those that act first.
 */
export class ActorCritic implements ActingModel {
  readonly distribution: ActionDistribution;
  readonly observationSize: number;
  /** All weights. */
  readonly layout: ParameterLayout;
  /** The weights that act. */
  readonly policyLayout: ParameterLayout;
  private readonly config: ActorCriticConfig;
  private readonly environment: EnvironmentDescription;
  private readonly policyShape: PerceptronShape;
  private readonly valueShape: PerceptronShape;
  /** The weights that {@link value} needs. */
  private readonly criticLayout: ParameterLayout;

  constructor(config: ActorCriticConfig, environment: EnvironmentDescription) {
    const { hiddenSizes, activation, sharedNetwork } = config;
    const inputs = spaceSize(environment.observationSpace);
    this.config = config;
    this.environment = environment;
    this.observationSize = inputs;
    this.distribution = actionDistribution(environment);
    this.policyShape = { inputs, hiddenSizes, activation, outputs: this.distribution.outputs };
    this.valueShape = sharedNetwork
      ? { inputs: hiddenSizes.at(-1)!, hiddenSizes: [], activation, outputs: 1 }
      : { inputs, hiddenSizes, activation, outputs: 1 };
    const valueLayout = perceptronLayout('value', this.valueShape);
    this.policyLayout = new ParameterLayout({
      ...perceptronLayout('policy', this.policyShape).shapes,
      ...this.distribution.weights,
    });
    this.layout = new ParameterLayout({ ...this.policyLayout.shapes, ...valueLayout.shapes });
    this.criticLayout = sharedNetwork ? this.layout : valueLayout;
  }

  /** What acts, for export. */
  get policy(): PolicyArchitecture {
    const { observationSize, policyLayout, policyShape, environment } = this;
    const { layout } = this.distribution;
    const outputs = (weights: Tensors, observation: tf.Tensor): tf.Tensor =>
      perceptron('policy', policyShape, weights, observation);
    if (layout) {
      return {
        kind: 'categorical',
        observationSize,
        layout: policyLayout,
        actions: layout,
        outputs: (weights, { observation }) => ({ logits: outputs(weights, observation) }),
      };
    }
    const { actionSpace } = environment;
    if (actionSpace.kind !== 'box') throw new Error('Only a box has no layout of choices.');
    return {
      kind: 'continuous',
      observationSize,
      layout: policyLayout,
      space: actionSpace,
      bounding: 'clip',
      outputs: (weights, { observation }) => {
        const mean = outputs(weights, observation);
        return { mean, logDeviation: tf.add(tf.zerosLike(mean), weights[logDeviationName]) };
      },
    };
  }

  /**
   * Orthogonal weights with gains √2 for hidden layers, 0.01 for the policy's last layer, so that the first policy hardly
   * depends on what it sees, and 1 for the value's (Huang et al., "The 37 Implementation Details of Proximal Policy
   * Optimization", 2022, detail 2).
   */
  initialParameters(generator: Generator): Float32Array {
    const parameters = new Float32Array(this.layout.size);
    const policy = this.policyPart(parameters);
    initialisePerceptron('policy', this.policyShape, policy, 0.01, generator);
    const value = parameters.subarray(this.policyLayout.size);
    initialisePerceptron('value', this.valueShape, value, 1, generator);
    if (logDeviationName in this.policyLayout.shapes) {
      this.policyLayout.view(policy, logDeviationName).fill(this.config.initialLogDeviation);
    }
    return parameters;
  }

  /** The weights that act as a view of all weights. */
  policyPart(parameters: Float32Array): Float32Array {
    return parameters.subarray(0, this.policySize);
  }

  /** The weights that {@link value} needs as a view of all weights. */
  criticPart(parameters: Float32Array): Float32Array {
    return parameters.subarray(this.criticStart);
  }

  get policySize(): number {
    return this.policyLayout.size;
  }

  get criticStart(): number {
    return this.layout.size - this.criticLayout.size;
  }

  /** Inputs of {@link act}: the weights that act, and for each row what is seen and what is forbidden. */
  get actInputs(): Record<string, InputSpec> {
    return {
      parameters: { shape: [this.policyLayout.size] },
      observation: { shape: ['batch', this.observationSize] },
      ...this.batched(this.penaltyInput),
    };
  }

  /** What actions are drawn from. */
  act({ parameters, observation, penalty }: Tensors): Tensors {
    const weights = this.policyLayout.split(parameters);
    return this.distribution.statistics(perceptron('policy', this.policyShape, weights, observation), weights, penalty);
  }

  /** Inputs of {@link value}: the weights that it needs and observations. */
  get valueInputs(): Record<string, InputSpec> {
    return {
      parameters: { shape: [this.criticLayout.size] },
      observation: { shape: ['batch', this.observationSize] },
    };
  }

  /** The value of each observation, [batch]. */
  value({ parameters, observation }: Tensors): Tensors {
    const weights = this.criticLayout.split(parameters);
    const hidden = this.config.sharedNetwork
      ? hiddenLayers('policy', this.policyShape, weights, observation)
      : observation;
    return { values: this.values(weights, hidden) };
  }

  /** What {@link evaluate} needs of each sample, without the batch axis. */
  get sampleInputs(): Record<string, InputSpec> {
    return {
      observation: { shape: [this.observationSize] },
      action: { shape: [...this.distribution.sampleShape] },
      ...this.penaltyInput,
    };
  }

  /** Both networks on a batch of samples, for a loss. */
  evaluate(parameters: tf.Tensor, { observation, action, penalty }: Tensors): Evaluation {
    const weights = this.layout.split(parameters);
    const hidden = hiddenLayers('policy', this.policyShape, weights, observation);
    const outputs = lastLayer('policy', this.policyShape, weights, hidden);
    return {
      ...this.distribution.evaluate(outputs, weights, action, penalty),
      values: this.values(weights, this.config.sharedNetwork ? hidden : observation),
    };
  }

  /** [batch] */
  private values(weights: Tensors, inputs: tf.Tensor): tf.Tensor {
    return tf.reshape(perceptron('value', this.valueShape, weights, inputs), [inputs.shape[0]]);
  }

  private get penaltyInput(): Record<string, InputSpec> {
    return this.distribution.masked ? { penalty: { shape: [this.distribution.outputs] } } : {};
  }

  private batched(inputs: Record<string, InputSpec>): Record<string, InputSpec> {
    return Object.fromEntries(
      Object.entries(inputs).map(([name, { shape }]) => [name, { shape: ['batch', ...shape] }]),
    );
  }
}

/** Compiles both or, when one fails, keeps none. Acting stays on the CPU: its batches are too small for a card. */
export async function compileActing(model: ActorCritic, device: DeviceName): Promise<ActingPrograms> {
  const act = await compile((inputs) => model.act(inputs), model.actInputs, 'cpu');
  return builtOn({ act }, async () => ({
    act,
    value: await compile((inputs) => model.value(inputs), model.valueInputs, device),
  }));
}
