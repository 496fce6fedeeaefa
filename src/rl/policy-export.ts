import { createHash } from 'node:crypto';

import * as tf from '@tensorflow/tfjs-core';

import { encodeModel } from '../tensor/onnx-model.ts';
import type { ParameterLayout } from '../tensor/parameters.ts';
import { trace } from '../tensor/trace.ts';
import type { Tensors } from '../tensor/trace.ts';
import { maskedLogit } from './action-sampling.ts';
import type { PolicyWeights } from './agent.ts';
import type { EnvironmentDescription, SpaceRow } from './environment.ts';
import { normalisationClip } from './normalisation.ts';
import type { CategoricalArchitecture, ContinuousArchitecture, PolicyArchitecture } from './policy-architecture.ts';
import { policyProperty } from './policy.ts';
import type { PolicySignature } from './policy.ts';
import { boundsOf } from './spaces.ts';
import type { ActionLayout } from './spaces.ts';
import { surroundings } from './versions.ts';

/**
 * A policy as one ONNX file and what a person or a server must know to use it.
 *
 * Inputs: `observation` float32 [batch, n], raw; for discrete actions `action_mask` bool [batch, m], 1 = allowed (all
 * true where the environment masks nothing); for a policy with a memory `memory` float32 [batch, k], zeros at the start
 * of an episode. Outputs for discrete actions: `logits` float32 [batch, m], −1e8 where masked; `action` int32
 * [batch, heads], the greedy choice. Outputs for a box: `action` float32 [batch, elements], the most probable one, and
 * `mean` and `log_deviation` before bounding where the policy can be sampled from. With a memory: `next_memory`.
 * Normalisation is inside the graph; `batch` is symbolic, so one file serves every batch size.
 */
export interface ExportedPolicy {
  readonly onnx: Uint8Array;
  readonly metadata: PolicyMetadata;
}

/** A row of a space's table; null stands for a bound that is not there, because JSON has no infinity. */
export type PolicyTableRow = Omit<SpaceRow, 'low' | 'high'> & {
  readonly low: number | null;
  readonly high: number | null;
};

/** Plain JSON; stored beside the ONNX file. */
export interface PolicyMetadata {
  readonly formatVersion: 1;
  readonly algorithm: string;
  readonly environment: string;
  readonly observation: { readonly size: number; readonly table: readonly PolicyTableRow[] };
  readonly action: {
    /** Choices of each head; none for continuous actions. */
    readonly choices: readonly number[];
    readonly maskSize: number;
    readonly table: readonly PolicyTableRow[];
  };
  /** Elements of `memory`; 0 for a policy without. */
  readonly memorySize: number;
  /** What the graph does to an observation before the network sees it; null when nothing. */
  readonly normalisation: {
    readonly mean: readonly number[];
    readonly standardDeviation: readonly number[];
    readonly clip: number;
  } | null;
  /** Environment steps that the weights have seen. */
  readonly trainedSteps: number;
  /** The evaluator's score of these weights; null when there was no evaluator. */
  readonly score: number | null;
  readonly versions: Readonly<Record<string, string>>;
  /** SHA-256 of the ONNX file, hexadecimal. */
  readonly onnxSha256: string;
}

/** Where a policy comes from. */
export interface PolicyOrigin {
  readonly algorithm: string;
  readonly environment: EnvironmentDescription;
  readonly trainedSteps: number;
  readonly score: number | null;
}

/** Writes a policy as an ONNX file with metadata. */
export function exportPolicy(
  architecture: PolicyArchitecture,
  weights: PolicyWeights,
  origin: PolicyOrigin,
): ExportedPolicy {
  const actions = architecture.kind === 'categorical' ? architecture.actions : null;
  const onnx = policyModel(architecture, weights);
  const { environment, algorithm, trainedSteps, score } = origin;
  return {
    onnx,
    metadata: {
      formatVersion: 1,
      algorithm,
      environment: environment.name,
      observation: { size: architecture.observationSize, table: environment.observationTable.map(tableRow) },
      action: {
        choices: actions?.choices ?? [],
        maskSize: actions?.maskSize ?? 0,
        table: environment.actionTable.map(tableRow),
      },
      memorySize: architecture.memorySize ?? 0,
      normalisation: weights.normalisation && {
        mean: [...weights.normalisation.mean],
        standardDeviation: [...weights.normalisation.standardDeviation],
        clip: normalisationClip,
      },
      trainedSteps,
      score,
      versions: surroundings().versions,
      onnxSha256: createHash('sha256').update(onnx).digest('hex'),
    },
  };
}

function tableRow({ low, high, ...row }: SpaceRow): PolicyTableRow {
  return { ...row, low: Number.isFinite(low) ? low : null, high: Number.isFinite(high) ? high : null };
}

/** The ONNX file of a policy. */
export function policyModel(architecture: PolicyArchitecture, weights: PolicyWeights): Uint8Array {
  const { observationSize, memorySize = 0 } = architecture;
  const program = architecture.kind === 'categorical' ? categoricalProgram : continuousProgram;
  const graph = trace((inputs) => program(architecture as never, weights, inputs), {
    observation: { shape: ['batch', observationSize] },
    ...(architecture.kind === 'categorical'
      ? { action_mask: { shape: ['batch', architecture.actions.maskSize], type: 'bool' as const } }
      : {}),
    ...(memorySize > 0 ? { memory: { shape: ['batch', memorySize] } } : {}),
  });
  return encodeModel(graph, { [policyProperty]: JSON.stringify(signatureOf(architecture)) });
}

function signatureOf(architecture: PolicyArchitecture): PolicySignature {
  const { memorySize = 0 } = architecture;
  if (architecture.kind === 'categorical') {
    return { kind: 'categorical', choices: architecture.actions.choices, memorySize };
  }
  const { low, high } = boundsOf(architecture.space);
  return { kind: 'continuous', low, high, bounding: architecture.bounding, memorySize };
}

function categoricalProgram(
  { actions, layout, outputs }: CategoricalArchitecture,
  weights: PolicyWeights,
  { observation, action_mask: mask, memory }: Tensors,
): Tensors {
  const { logits, memory: next } = outputs(fixedWeights(layout, weights), {
    observation: seen(observation, weights),
    memory,
  });
  const masked = tf.where(paddedMask(mask, actions), logits, tf.scalar(maskedLogit));
  const rows = tf.reshape(masked, [observation.shape[0], actions.heads, actions.width]);
  return {
    logits: withoutPadding(masked, actions),
    action: tf.cast(tf.argMax(rows, 2), 'int32'),
    ...(next ? { next_memory: next } : {}),
  };
}

function continuousProgram(
  { space, bounding, layout, outputs }: ContinuousArchitecture,
  weights: PolicyWeights,
  { observation, memory }: Tensors,
): Tensors {
  const {
    mean,
    logDeviation,
    memory: next,
  } = outputs(fixedWeights(layout, weights), {
    observation: seen(observation, weights),
    memory,
  });
  const { low, high } = boundsOf(space);
  return {
    action:
      bounding === 'squash'
        ? squashed(mean, low, high)
        : tf.minimum(tf.maximum(mean, tf.tensor1d([...low])), tf.tensor1d([...high])),
    ...(logDeviation ? { mean: tf.add(mean, 0), log_deviation: logDeviation } : {}),
    ...(next ? { next_memory: next } : {}),
  };
}

function squashed(mean: tf.Tensor, low: readonly number[], high: readonly number[]): tf.Tensor {
  const half = low.map((bound, i) => (high[i] - bound) / 2);
  const middle = low.map((bound, i) => (high[i] + bound) / 2);
  return tf.add(tf.mul(tf.tanh(mean), tf.tensor1d(half)), tf.tensor1d(middle));
}

/** Observations as the network sees them. */
function seen(observation: tf.Tensor, { normalisation }: PolicyWeights): tf.Tensor {
  if (!normalisation) return observation;
  const { mean, standardDeviation } = normalisation;
  const scaled = tf.div(tf.sub(observation, tf.tensor1d(mean)), tf.tensor1d(standardDeviation));
  return tf.clipByValue(scaled, -normalisationClip, normalisationClip);
}

function fixedWeights(layout: ParameterLayout, { parameters }: PolicyWeights): Tensors {
  const entries = Object.entries(layout.shapes);
  return Object.fromEntries(
    entries.map(([name, shape]) => [name, tf.tensor(layout.view(parameters, name), [...shape])]),
  );
}

/** The mask in the padded layout of the logits: padding takes a column of zeros. */
function paddedMask(mask: tf.Tensor, actions: ActionLayout): tf.Tensor {
  if (!actions.padded) return mask;
  const numbers = tf.concat([tf.cast(mask, 'int32'), tf.zeros([mask.shape[0], 1], 'int32')], 1);
  const places = actions.maskPlaces.map((place) => (place < 0 ? actions.maskSize : place));
  return tf.cast(tf.gather(numbers, tf.tensor1d(places, 'int32'), 1), 'bool');
}

function withoutPadding(logits: tf.Tensor, actions: ActionLayout): tf.Tensor {
  if (!actions.padded) return logits;
  const places = actions.maskPlaces.flatMap((place, index) => (place < 0 ? [] : [index]));
  return tf.gather(logits, tf.tensor1d(places, 'int32'), 1);
}
