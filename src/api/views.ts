import type { z } from 'zod';
import type { Run } from '../client/run.ts';
import type { Model } from '../client/model-reader.ts';
import type { StartedRun } from '../client/start-run.ts';
import type { MetricPoint, ModelSummary } from '../contracts/stores.ts';
import type { RunProgress } from '../contracts/runs.ts';
import type { modelDetail, modelList } from './model-schemas.ts';
import type { metricPage, runDetail, runSummary, startedRun, steered } from './run-schemas.ts';

/*
 * The JSON of what the client gives. Fields are picked one by one, so that a field that is added inside does not leave
 * the process unnoticed.
 */

/** Paths that belong to a run. */
export function runLinks(runId: string): z.infer<typeof startedRun>['links'] {
  const self = `/api/v1/runs/${encodeURIComponent(runId)}`;
  const under = (name: string): string => `${self}/${name}`;
  return {
    self,
    metrics: under('metrics'),
    events: under('events'),
    pause: under('pause'),
    resume: under('resume'),
    cancel: under('cancel'),
  };
}

export function summaryView(run: Run): z.infer<typeof runSummary> {
  return {
    id: run.runId,
    pipeline: run.pipeline,
    specSha256: run.specSha256,
    status: run.status,
    step: run.step,
    steps: run.steps.map(({ name, status, summary, startedAt, finishedAt }) => ({
      name,
      status,
      summary,
      startedAt: timeView(startedAt),
      finishedAt: timeView(finishedAt),
    })),
    createdAt: run.createdAt.toISOString(),
    updatedAt: run.updatedAt.toISOString(),
    finishedAt: timeView(run.finishedAt),
    failure: run.failure,
    links: runLinks(run.runId),
  };
}

export function detailView(run: Run, progress: RunProgress): z.infer<typeof runDetail> {
  return {
    ...summaryView(run),
    progress: progress as z.infer<typeof runDetail>['progress'],
    spec: run.spec,
    report: run.report as z.infer<typeof runDetail>['report'],
  };
}

export function startedView({ runId, specSha256, created }: StartedRun): z.infer<typeof startedRun> {
  return { id: runId, specSha256, created, links: runLinks(runId) };
}

export function steeredView(runId: string, requested: z.infer<typeof steered>['requested']): z.infer<typeof steered> {
  return { id: runId, requested, links: runLinks(runId) };
}

export function pointView({ series, step, at, values }: MetricPoint): z.infer<typeof metricPage>['points'][number] {
  return { series, step, at: at.toISOString(), values };
}

export function modelListView(models: readonly ModelSummary[]): z.infer<typeof modelList> {
  return {
    models: models.map(({ model, latestVersion, aliases }) => ({
      model,
      latestVersion,
      aliases,
      links: { self: `/api/v1/models/${encodeURIComponent(model)}` },
    })),
  };
}

export function modelView({ model, aliases, versions, aliasHistory }: Model): z.infer<typeof modelDetail> {
  return {
    model,
    aliases,
    versions: versions.map(({ version, policy, metadata, lineage, gate, createdAt }) => ({
      version,
      policy,
      metadata,
      lineage,
      gate: { passed: gate.passed, reasons: [...gate.reasons] },
      createdAt: createdAt.toISOString(),
    })),
    aliasHistory: aliasHistory.map(({ alias, from, to, runId, at }) => ({
      alias,
      from,
      to,
      runId,
      at: at.toISOString(),
    })),
  };
}

function timeView(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}
