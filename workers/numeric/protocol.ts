import type { ErrorCode } from '../../src/contracts/errors.ts';
import type {
  EvaluateJob,
  EvaluateOutcome,
  FitJob,
  FitOutcome,
  TrainJob,
  TrainOutcome,
  TrainPoint,
} from '../../src/contracts/numeric.ts';

/** What a worker tells its numeric child. One job a child. */
export type ToChild =
  | { readonly kind: 'train'; readonly job: TrainJob; readonly algorithmModules: readonly string[] }
  | { readonly kind: 'evaluate'; readonly job: EvaluateJob }
  | { readonly kind: 'fit'; readonly job: FitJob }
  /** The checkpoint sent last is durable. */
  | { readonly kind: 'stored' }
  /** Stop at the next update boundary. */
  | { readonly kind: 'stop' };

/** What the child tells. `done` and `failed` come last. */
export type FromChild =
  | { readonly kind: 'ready' }
  | { readonly kind: 'point'; readonly point: TrainPoint }
  /** The child waits for `stored`. */
  | { readonly kind: 'checkpoint'; readonly step: number; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly outcome: TrainOutcome | EvaluateOutcome | FitOutcome }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly details?: unknown };
