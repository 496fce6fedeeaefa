/** What a worker tells a policy process. */
export type ToPolicy =
  { readonly kind: 'load'; readonly onnx: Uint8Array } | ({ readonly kind: 'ask'; readonly id: number } & Question);

export interface Question {
  readonly observation: Float32Array;
  readonly mask: Uint8Array | null;
  /** Empty = zeros. */
  readonly memory: Float32Array;
}

/** What the process tells. */
export type FromPolicy =
  | { readonly kind: 'ready' }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'answer'; readonly id: number; readonly action: readonly number[]; readonly memory: Float32Array }
  | { readonly kind: 'failed'; readonly id: number | null; readonly message: string };
