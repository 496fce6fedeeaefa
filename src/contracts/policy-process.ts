import type { ArtifactReference } from './stores.ts';

/** One question to a policy. */
export interface PolicyQuestion {
  /** Each deployment has a process of its own. */
  readonly deployment: string;
  readonly policy: ArtifactReference;
  readonly observation: Float32Array;
  /** Null when nothing is masked. */
  readonly mask: Uint8Array | null;
  /** Empty for a policy without memory, and for one that remembers nothing yet. */
  readonly memory: Float32Array;
}

export interface PolicyAnswer {
  /** The greedy action. */
  readonly action: readonly number[];
  /** What the policy remembers now. */
  readonly memory: Float32Array;
}

/**
 * Policies at work, each in a process of its own: a policy that crashes or hangs takes nothing else with it.
 *
 * 1. POLICY_UNAVAILABLE when the process died, could not load the policy, or did not answer in time; it is then ended, and
 *    the next question starts another.
 * 2. A process ends by itself when its worker is gone.
 */
export interface PolicyProcesses {
  ask(question: PolicyQuestion, signal?: AbortSignal): Promise<PolicyAnswer>;
  /** Ends the process of a deployment; nothing happens when there is none. */
  release(deployment: string): Promise<void>;
}
