/** The learning core: train in your own process, without Temporal or a store. */
export { algorithmRules } from './algorithm-check/algorithm-check.ts';
export type { AlgorithmCheckOptions, AlgorithmRule } from './algorithm-check/algorithm-check.ts';
export { defineAlgorithm } from './algorithm.ts';
export type { AgentSetup, Algorithm, AlgorithmDefinition, EnvironmentRecipe } from './algorithm.ts';
export { algorithms } from './algorithms/index.ts';
export { loadAlgorithm, loadAlgorithms } from './algorithms/load-algorithms.ts';
export type { AgentState, PolicyWeights, StateArray } from './agent.ts';
export { checkEnvironment } from './environment-check/check-environment.ts';
export type {
  BoxSpace,
  DiscreteSpace,
  Environment,
  EnvironmentDescription,
  EnvironmentState,
  MultiDiscreteSpace,
  Observation,
  Space,
  SpaceRow,
  Transition,
} from './environment.ts';
export { createEnvironment, environmentRecipe } from './environments/environment-recipe.ts';
export type { NamedEnvironment } from './environments/environment-recipe.ts';
export { environments } from './environments/index.ts';
export type { EnvironmentKind } from './environments/registry.ts';
export { episodeReturns } from './evaluation/episode-returns.ts';
export { flag, hyperparameter, integer, listOf, number, oneOf, optional } from './hyperparameters.ts';
export type { ConfigOf, Hyperparameter, HyperparameterTable, Rule } from './hyperparameters.ts';
export type { Learner, LearningProgress } from './learner.ts';
export type { CategoricalArchitecture, ContinuousArchitecture, PolicyArchitecture } from './policy-architecture.ts';
export type { ExportedPolicy, PolicyMetadata } from './policy-export.ts';
export { loadPolicy } from './policy.ts';
export type { Policy, PolicyActions } from './policy.ts';
export { Generator } from './random.ts';
export { createTraining } from './training-loop.ts';
export type {
  Evaluation,
  EvaluationReport,
  Evaluator,
  RunOptions,
  Training,
  TrainingOptions,
  TrainingOutcome,
  UpdateMetrics,
  UpdateReport,
} from './training-loop.ts';
export type { Toolbox } from './toolbox.ts';
export type { StepResults, VectorEnvironment } from './vector-environment.ts';
