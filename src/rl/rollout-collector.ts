import { setImmediate as nextTurn } from 'node:timers/promises';

import type { LoadedModel } from '../tensor/loaded-model.ts';
import type { ActionSampler } from './action-sampler.ts';
import { fillPenalties } from './action-sampling.ts';
import { generalisedAdvantages } from './advantages.ts';
import { ObservationNormaliser, RewardScaler } from './normalisation.ts';
import type { Normalisation, RewardScalerState } from './normalisation.ts';
import type { Generator, GeneratorState } from './random.ts';
import { RolloutBuffer } from './rollout-buffer.ts';
import type { StatisticsState } from './running-statistics.ts';
import type { StepResults, VectorEnvironment } from './vector-environment.ts';

/** The programs that a rollout needs. */
export interface ActingPrograms {
  /** What actions are drawn from, for some observations. */
  readonly act: LoadedModel;
  /** Values of some observations. */
  readonly value: LoadedModel;
}

/** What a rollout has to know of the networks. It needs no compiler: actor processes get along without. */
export interface ActingModel {
  readonly observationSize: number;
  readonly distribution: ActionSampler;
  /** The weights that act are the first so many of the flat vector. */
  readonly policySize: number;
  /** The weights that judge are those from here on. */
  readonly criticStart: number;
}

/** How rollouts are made and judged. */
export interface RolloutSettings {
  /** Environment steps of a rollout, summed over all environments; a multiple of their number. */
  readonly rolloutSteps: number;
  readonly discount: number;
  /** λ of generalised advantage estimation. */
  readonly gaeLambda: number;
  readonly normaliseObservations: boolean;
  readonly scaleRewards: boolean;
}

/** What the networks are drawn towards, in the layout of the rollout. */
export interface Targets {
  readonly values: Float32Array;
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

/** The part of a collector's state that outlives a rollout; JSON. */
export interface CollectorState {
  readonly actions: GeneratorState;
  readonly observations: StatisticsState | null;
  readonly rewards: RewardScalerState | null;
}

/** Calls of `act` without a pause: the process hears messages and timers after so many. */
const callsPerTurn = 64;

/**
 * Makes rollouts for algorithms that learn from their latest experience only: acts, keeps what happened, and works out
 * advantages.
 *
 * 1. For each step of all environments `act` and then `record`; after `rolloutSteps` steps `targets` and `restart`.
 * 2. Observations in `buffer` are as the network sees them.
 */
export class RolloutCollector {
  readonly buffer: RolloutBuffer;
  /** Samples of the present rollout. */
  private filled = 0;
  private calls = 0;
  private readonly model: ActingModel;
  private readonly programs: ActingPrograms;
  private readonly settings: RolloutSettings;
  private readonly generator: Generator;
  private readonly normaliser: ObservationNormaliser | null;
  private readonly scaler: RewardScaler | null;
  private actionRows: readonly (Int32Array | Float32Array)[] = [];
  private readonly actInputs: { parameters: Float32Array; observation: Float32Array; penalty?: Float32Array };
  private criticParameters: Float32Array = new Float32Array(0);

  /** @param environments number of environments. */
  constructor(
    model: ActingModel,
    programs: ActingPrograms,
    settings: RolloutSettings,
    environments: number,
    generator: Generator,
  ) {
    const { observationSize, distribution } = model;
    const { outputs, masked } = distribution;
    this.model = model;
    this.programs = programs;
    this.settings = settings;
    this.generator = generator;
    this.normaliser = settings.normaliseObservations ? new ObservationNormaliser(observationSize) : null;
    this.scaler = settings.scaleRewards ? new RewardScaler(environments, settings.discount) : null;
    this.buffer = new RolloutBuffer(settings.rolloutSteps, environments, observationSize, outputs, masked);
    // The same arrays at every call: ONNX Runtime is told of them once.
    this.actInputs = {
      parameters: new Float32Array(0),
      observation: new Float32Array(environments * observationSize),
      ...(masked ? { penalty: new Float32Array(environments * outputs) } : {}),
    };
  }

  /** Takes the weights that act and judge from now on; the array must not change meanwhile. */
  use(parameters: Float32Array): void {
    this.actInputs.parameters = parameters.subarray(0, this.model.policySize);
    this.criticParameters = parameters.subarray(this.model.criticStart);
  }

  /** The present shift and scale of observations; null where they are not normalised. */
  get normalisation(): Normalisation | null {
    return this.normaliser?.current() ?? null;
  }

  /** Chooses what each environment does next. A promise is waited for: now and then, so that the process hears others. */
  act(environments: VectorEnvironment): Promise<void> | void {
    const { buffer, filled, actInputs } = this;
    this.see(environments);
    const statistics = this.programs.act.runSync(actInputs);
    if (this.actionRows.length === 0 || this.actionRows[0].buffer !== environments.actions.buffer) {
      this.actionRows = rowsOf(environments);
    }
    for (let index = 0; index < environments.count; index++) {
      buffer.logProbabilities[filled + index] = this.model.distribution.sample(
        statistics,
        index,
        this.generator,
        this.actionRows[index],
        buffer.actions,
        filled + index,
      );
    }
    if (++this.calls % callsPerTurn === 0) return nextTurn();
  }

  /** Observations as the network sees them, and what is forbidden; observations that are acted on count in the statistics. */
  private see({ observations, masks }: VectorEnvironment): void {
    const { buffer, filled, normaliser } = this;
    const { observation, penalty } = this.actInputs;
    const { observationSize, distribution } = this.model;
    if (normaliser) {
      for (let offset = 0; offset < observations.length; offset += observationSize) {
        normaliser.statistics.add(observations, offset);
      }
      normaliser.apply(observations, observation);
    } else {
      observation.set(observations);
    }
    buffer.observations.set(observation, filled * observationSize);
    if (!penalty) return;
    fillPenalties(distribution.layout!, masks, penalty);
    buffer.penalties!.set(penalty, filled * distribution.outputs);
  }

  record({ rewards, terminated, truncated, lastObservations }: StepResults): void {
    for (let index = 0; index < rewards.length; index++) {
      const over = terminated[index] === 1 || truncated[index] === 1;
      const last = lastObservations[index];
      if (last) this.normaliser?.apply(last, last);
      const reward = this.scaler ? this.scaler.scale(index, rewards[index], over) : rewards[index];
      this.buffer.record(this.filled + index, reward, over, last);
    }
    this.filled += rewards.length;
  }

  /** Judges the rollout: one batched call for all of its observations and those that follow it. */
  targets(environments: VectorEnvironment): Targets {
    const { discount, gaeLambda } = this.settings;
    const { values, ...others } = this.evaluate(environments);
    return { values, ...generalisedAdvantages({ ...this.buffer, values, ...others }, discount, gaeLambda) };
  }

  /** Values of all observations of the rollout, of those after it, and of those at which episodes were cut off. */
  private evaluate(environments: VectorEnvironment): {
    values: Float32Array;
    nextValues: Float32Array;
    endValues: Float32Array;
  } {
    const { observations, truncations, size } = this.buffer;
    const following = environments.observations.slice();
    this.normaliser?.apply(following, following);
    const batch = joined([observations, following, ...truncations.map(({ observation }) => observation)]);
    const results = this.programs.value.runSync({ parameters: this.criticParameters, observation: batch });
    const values = results.values as Float32Array;
    const endValues = new Float32Array(size);
    truncations.forEach(({ place }, index) => (endValues[place] = values[size + environments.count + index]));
    return {
      values: values.subarray(0, size),
      nextValues: values.subarray(size, size + environments.count),
      endValues,
    };
  }

  /** Empties the buffer for the next rollout. */
  restart(): void {
    this.filled = 0;
    this.buffer.clear();
  }

  saveState(): CollectorState {
    return {
      actions: this.generator.saveState(),
      observations: this.normaliser?.statistics.saveState() ?? null,
      rewards: this.scaler?.saveState() ?? null,
    };
  }

  /** Takes over a state at the beginning of a rollout. */
  loadState({ actions, observations, rewards }: CollectorState): void {
    this.restart();
    this.generator.loadState(actions);
    if (observations) this.normaliser?.statistics.loadState(observations);
    if (rewards) this.scaler?.loadState(rewards);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.programs.act.dispose(), this.programs.value.dispose()]);
  }
}

/** What each environment is to do, as views of the vector of all actions. */
function rowsOf({ actions, actionSize, count }: VectorEnvironment): (Int32Array | Float32Array)[] {
  return Array.from({ length: count }, (_, index) => actions.subarray(index * actionSize, (index + 1) * actionSize));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
