import type { JsonValue } from '../contracts/run-spec.ts';
import type { ControllerResult, RunReport, TrainedSeed } from '../contracts/runs.ts';
import type { RunRecord } from '../contracts/stores.ts';
import { trackedRunId } from './tracked-run-names.ts';
import type { TrackedRunName } from './tracked-run-names.ts';
import type { RunDescription, Summary } from './tracker.ts';

/** Where runs are mirrored to and how they are marked; from the RunSpec. */
export interface TrackingTarget {
  readonly project: string;
  /** null = the owner of the API key. */
  readonly entity: string | null;
  readonly tags: readonly string[];
}

/** W&B's limit for a tag. */
const maxTagLength = 64;

/** A tracked run as the tracker shall show it: grouped by pipeline, found by the run's id in config and tags. */
export function describeRun(run: RunRecord, name: TrackedRunName, target: TrackingTarget): RunDescription {
  const { runId, pipeline, spec, createdAt } = run;
  const { member, jobType } = name;
  return {
    id: trackedRunId(runId, member),
    project: target.project,
    entity: target.entity,
    displayName: name.series.length === 0 ? runId : `${runId} ${member}`,
    group: pipeline,
    jobType,
    tags: [...target.tags, ...(runId.length <= maxTagLength ? [runId] : [])],
    notes: spec?.description ?? '',
    commit: spec?.gitSha ?? null,
    config: configOf(run, member),
    startedAt: createdAt,
  };
}

function configOf({ runId, specSha256, spec }: RunRecord, member: string): Record<string, JsonValue> {
  const seed = seedOf(member);
  const { tracking: _tracking, ...shown } = spec ?? {};
  // A spec is JSON by its schema; its interfaces only lack the index signature that JsonValue asks for.
  return { ...(shown as Record<string, JsonValue>), runId, specSha256, ...(seed === null ? {} : { seed }) };
}

/** What is known of a tracked run beside its history. */
export function summarise(run: RunRecord, { member, series }: TrackedRunName): Summary {
  if (series.length === 0) return pipelineSummary(run);
  const trained = run.report?.training.find(({ seed }) => seed === seedOf(member));
  return trained === undefined ? {} : seedSummary(trained, run.report);
}

function pipelineSummary({ status, step, failure, report }: RunRecord): Summary {
  return {
    status,
    step,
    ...(failure === null ? {} : { 'failure/code': failure.code, 'failure/message': failure.message }),
    ...(report === null ? {} : reportSummary(report)),
  };
}

function reportSummary({ seconds, gate, model, evaluation, results }: RunReport): Summary {
  return {
    seconds,
    ...(gate === null ? {} : { 'gate/passed': gate.passed, 'gate/reasons': gate.reasons.join('\n') }),
    ...(model === null ? {} : { 'model/name': model.name, 'model/version': model.version, 'model/alias': model.alias }),
    ...(evaluation === null
      ? {}
      : {
          'evaluation/chosenSeed': evaluation.chosenSeed,
          'evaluation/hpaTargetPercent': evaluation.hpaTargetPercent,
          'evaluation/fixedReplicas': evaluation.fixedReplicas,
        }),
    ...Object.fromEntries(results.flatMap(resultEntries)),
  };
}

function resultEntries({ controller, ...measures }: ControllerResult): [string, JsonValue][] {
  return Object.entries(measures).flatMap(([measure, { mean, low, high }]): [string, JsonValue][] => [
    [`heldOut/${controller}/${measure}`, mean],
    [`heldOut/${controller}/${measure}/low`, low],
    [`heldOut/${controller}/${measure}/high`, high],
  ]);
}

function seedSummary(trained: TrainedSeed, report: RunReport | null): Summary {
  const { seed, steps, episodes, weightsSha256, bestStep, bestScore, seconds, warnings } = trained;
  return {
    steps,
    episodes,
    weightsSha256,
    bestStep,
    bestScore,
    seconds,
    warnings: warnings.join('\n'),
    chosen: report?.evaluation?.chosenSeed === seed,
  };
}

/** 0 = completed, 1 = failed, 255 = cancelled, which is what W&B's own client leaves after Ctrl-C. */
export function exitCodeOf({ status }: Pick<RunRecord, 'status'>): number {
  if (status === 'failed') return 1;
  return status === 'cancelled' ? 255 : 0;
}

/** The number of `seed-N`; null for other members. */
function seedOf(member: string): number | null {
  const digits = /^seed-(\d+)$/.exec(member)?.[1];
  return digits === undefined ? null : Number(digits);
}
