import type { ErrorCode } from '../../contracts/errors.ts';
import type { EnvironmentRecipe } from '../algorithm.ts';
import type { EnvironmentDescription, EnvironmentState } from '../environment.ts';
import type { GeneratorState } from '../random.ts';
import type { ActingModel } from '../rollout-collector.ts';

/**
 * What a training and an actor process say to each other: the training asks, the actor answers each question with one
 * message. The channel carries it by structured cloning.
 */
export type ToActor =
  | { readonly kind: 'set-up'; readonly setup: ActorSetup }
  /** Begins an iteration: answered with the first gradient. */
  | { readonly kind: 'begin'; readonly parameters: Float32Array; readonly position: ActorPosition }
  /** The weights to go on with: answered with the next gradient. */
  | { readonly kind: 'go-on'; readonly parameters: Float32Array }
  /** Ends the iteration. */
  | { readonly kind: 'finish' };

/** An actor's answers. */
export type FromActor =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'gradient' } & GradientReport)
  | ({ readonly kind: 'finished' } & ActorReport)
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** What an actor is set up with, once. */
export interface ActorSetup {
  readonly recipe: EnvironmentRecipe;
  /** What the recipe's environment must look like. */
  readonly environment: EnvironmentDescription;
  readonly networks: Omit<ActingModel, 'distribution'>;
  readonly rolloutSteps: number;
  readonly discount: number;
  /** ONNX files of what an actor computes, so that it need not compile them again. */
  readonly programs: { readonly act: Uint8Array; readonly value: Uint8Array; readonly gradient: Uint8Array };
}

/** Where an actor stands between two iterations. */
export interface ActorPosition {
  /** What draws the actions. */
  readonly actions: GeneratorState;
  readonly environment: EnvironmentState;
  /** What draws the seeds of episodes. */
  readonly seeds: GeneratorState;
  /** The episode under way. */
  readonly running: Episode;
}

/** Return and length of an episode, or of its part so far. */
export interface Episode {
  readonly return: number;
  readonly length: number;
}

/** What a rollout asks for. */
export interface GradientReport {
  readonly gradient: Float32Array;
  /** Policy loss, value loss and entropy. */
  readonly figures: Float32Array;
}

/** What happened in an iteration. */
export interface ActorReport {
  readonly position: ActorPosition;
  /** Sum of the rewards. */
  readonly rewards: number;
  /** Means of the environment's measures. */
  readonly measures: Readonly<Record<string, number>>;
  /** The episodes that ended, with the step of the iteration at which each did. */
  readonly finished: readonly (Episode & { readonly step: number })[];
}
