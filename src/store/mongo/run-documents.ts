import type { RunSpec } from '../../contracts/run-spec.ts';
import type { RunReport } from '../../contracts/runs.ts';
import type { RunRecord, StoredStep } from '../../contracts/stores.ts';
import { plannedSteps } from '../../domain/planned-steps.ts';
import { closeSteps } from '../run-rules.ts';
import type { RunDocument, RunEndDocument } from './collections.ts';
import { fromStored } from './document-values.ts';

/** A run of which nothing is known but its id. */
export function blankRun(runId: string, at: Date): RunDocument {
  return {
    _id: runId,
    pipeline: '',
    spec: null,
    specSha256: '',
    status: 'running',
    step: 'validate',
    steps: {},
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
  };
}

/** The run as the port gives it, its end (null = it goes on) laid over its document. */
export function toRecord(run: RunDocument, end: RunEndDocument | null): RunRecord {
  const spec = fromStored<RunSpec | null>(run.spec);
  const steps = toSteps(run, spec);
  const going: RunRecord = {
    runId: run._id,
    pipeline: run.pipeline,
    spec,
    specSha256: run.specSha256,
    status: run.status,
    step: run.step,
    steps,
    createdAt: run.createdAt,
    updatedAt: run.updatedAt,
    finishedAt: null,
    failure: null,
    report: null,
  };
  if (end === null) return going;
  const { status, step, failure, finishedAt } = end;
  return {
    ...going,
    status,
    step,
    steps: closeSteps(steps, { status, step, at: finishedAt }),
    updatedAt: finishedAt,
    finishedAt,
    failure,
    report: fromStored<RunReport>(end.report),
  };
}

function toSteps(run: RunDocument, spec: RunSpec | null): readonly StoredStep[] {
  return plannedSteps(spec).map((name) => {
    const step = run.steps[name];
    return {
      name,
      status: step?.status ?? 'pending',
      summary: step?.summary ?? '',
      startedAt: step?.startedAt ?? null,
      finishedAt: step?.finishedAt ?? null,
    };
  });
}
