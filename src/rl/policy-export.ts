import type { SpaceRow } from './environment.ts';

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

/** Plain JSON; stored beside the ONNX file. */
export interface PolicyMetadata {
  readonly formatVersion: 1;
  readonly algorithm: string;
  readonly environment: string;
  readonly observation: { readonly size: number; readonly table: readonly SpaceRow[] };
  readonly action: {
    readonly choices: readonly number[];
    readonly maskSize: number;
    readonly table: readonly SpaceRow[];
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
