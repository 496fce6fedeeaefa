/** The SDK: Coxswain from TypeScript. */
export { createCoxswainClient } from './coxswain-client.ts';
export type { CoxswainClient, CoxswainClientOptions, MetricPage } from './coxswain-client.ts';
export type { Deployment } from './deployment.ts';
export type { DecisionRequest, Deployments, OpenedDeployment } from './deployments.ts';
export type { Model, ModelReader } from './model-reader.ts';
export type { RunPage } from './run-list.ts';
export type { MetricCursor, RunEvent, WatchOptions } from './run-watch.ts';
export { isOver, reportOf } from './run.ts';
export type { Run } from './run.ts';
export type { RunRequest, StartedRun } from './start-run.ts';
export type { TemporalSettings } from './temporal-calls.ts';
