import { createHash } from 'node:crypto';

import * as tf from '@tensorflow/tfjs-core';

import { encodeModel } from '../tensor/onnx-model.ts';
import { trace } from '../tensor/trace.ts';
import type { Program, Tensors } from '../tensor/trace.ts';
import { maskedLogit } from './action-sampling.ts';
import type { PolicyArchitecture, PolicyWeights } from './agent.ts';
import type { EnvironmentDescription, SpaceRow } from './environment.ts';
import { perceptron, perceptronLayout } from './networks.ts';
import { normalisationClip } from './normalisation.ts';
import type { Normalisation } from './normalisation.ts';
import { choicesProperty } from './policy.ts';
import type { ActionLayout } from './spaces.ts';
import { surroundings } from './versions.ts';

/**
 * A policy as one ONNX file and what a person or a server must know to use it.
 *
 * Inputs: `observation` float32 [batch, n], raw; `action_mask` bool [batch, m], 1 = allowed (all true where the
 * environment masks nothing). Outputs: `logits` float32 [batch, m], −1e8 where masked; `action` int32 [batch, heads],
 * the greedy choice. Normalisation is inside the graph; `batch` is symbolic, so one file serves every batch size.
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
    readonly choices: readonly number[];
    readonly maskSize: number;
    readonly table: readonly PolicyTableRow[];
  };
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
  const { actions, network } = architecture;
  const onnx = policyModel(architecture, weights);
  const { environment, algorithm, trainedSteps, score } = origin;
  return {
    onnx,
    metadata: {
      formatVersion: 1,
      algorithm,
      environment: environment.name,
      observation: { size: network.inputs, table: environment.observationTable.map(tableRow) },
      action: { choices: actions.choices, maskSize: actions.maskSize, table: environment.actionTable.map(tableRow) },
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
  const { network, actions } = architecture;
  const graph = trace(policyProgram(architecture, weights), {
    observation: { shape: ['batch', network.inputs] },
    action_mask: { shape: ['batch', actions.maskSize], type: 'bool' },
  });
  return encodeModel(graph, { [choicesProperty]: JSON.stringify(actions.choices) });
}

function policyProgram({ network, actions }: PolicyArchitecture, weights: PolicyWeights): Program {
  return ({ observation, action_mask: mask }) => {
    const seen = weights.normalisation ? normalised(observation, weights.normalisation) : observation;
    const logits = perceptron('policy', network, fixedWeights({ network, actions }, weights.parameters), seen);
    const masked = tf.where(paddedMask(mask, actions), logits, tf.scalar(maskedLogit));
    const rows = tf.reshape(masked, [observation.shape[0], actions.heads, actions.width]);
    return { logits: withoutPadding(masked, actions), action: tf.cast(tf.argMax(rows, 2), 'int32') };
  };
}

function normalised(observation: tf.Tensor, { mean, standardDeviation }: Normalisation): tf.Tensor {
  const scaled = tf.div(tf.sub(observation, tf.tensor1d(mean)), tf.tensor1d(standardDeviation));
  return tf.clipByValue(scaled, -normalisationClip, normalisationClip);
}

function fixedWeights({ network }: PolicyArchitecture, parameters: Float32Array): Tensors {
  const layout = perceptronLayout('policy', network);
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
