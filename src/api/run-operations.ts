import { z } from 'zod';
import type { CoxswainClient } from '../client/coxswain-client.ts';
import { apiLimits } from './settings.ts';
import type { EventStreams } from './event-streams.ts';
import { operation } from './operation.ts';
import type { Operation } from './operation.ts';
import { readRunRequest, runRequestBody } from './run-request.ts';
import { eventData, metricPage, runDetail, runPage, startedRun, steered } from './run-schemas.ts';
import { anyRunId, runId, runStatus, wholeNumber } from './schema-parts.ts';
import { detailView, pointView, startedView, steeredView, summaryView } from './views.ts';

/** What the operations on runs work with. */
export interface RunPorts {
  readonly client: CoxswainClient;
  readonly streams: EventStreams;
  /** Called for every run that was started anew. */
  readonly onStarted: (source: 'api' | 'webhook') => void;
}

const one = z.strictObject({ id: anyRunId });

/** Everything under /api/v1/runs. */
export function runOperations({ client, streams, onStarted }: RunPorts): Operation[] {
  return [
    operation({
      id: 'startRun',
      method: 'post',
      path: '/api/v1/runs',
      tag: 'Runs',
      summary: 'Start a run',
      description:
        'The body is a RunSpec, or an object with `spec` and, if you like, an `id` of your own. The same id and spec again is the same run, also after its end; the same id with another spec is 409. So a caller that got no answer repeats the request.',
      queryParameters: z.strictObject({ id: runId.optional() }),
      body: runRequestBody,
      replies: {
        202: {
          description: 'The run is started, or was there already.',
          schema: startedRun,
          headers: { Location: 'The run.' },
        },
      },
      errors: ['SPEC_INVALID', 'RUN_CONFLICT', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'SEARCH_ATTRIBUTES_MISSING'],
      async handle({ request, query, body }) {
        const started = await client.startRun(readRunRequest(request.headers['content-type'], body, query.id));
        if (started.created) onStarted('api');
        const view = startedView(started);
        return { status: 202, body: view, headers: { Location: view.links.self } };
      },
    }),
    operation({
      id: 'listRuns',
      method: 'get',
      path: '/api/v1/runs',
      tag: 'Runs',
      summary: 'List runs, newest first',
      queryParameters: z.strictObject({
        status: runStatus.optional().describe('Only runs of this status.'),
        pipeline: z.string().min(1).max(63).optional().describe('Only runs of this pipeline.'),
        before: anyRunId.optional().describe('Only runs older than this one; see `next`.'),
        limit: wholeNumber(1, 200, 'Number of runs. Default 50.'),
      }),
      replies: { 200: { description: 'A page of runs.', schema: runPage } },
      errors: ['RUN_NOT_FOUND'],
      async handle({ query }) {
        const page = await client.listRuns(query);
        const next = page.next === null ? null : `/api/v1/runs?${nextQuery(query, page.next)}`;
        return { status: 200, body: { runs: page.runs.map(summaryView), next } };
      },
    }),
    operation({
      id: 'getRun',
      method: 'get',
      path: '/api/v1/runs/{id}',
      tag: 'Runs',
      summary: 'A run with its progress and, at the end, its report',
      pathParameters: one,
      replies: { 200: { description: 'The run.', schema: runDetail } },
      errors: ['RUN_NOT_FOUND'],
      async handle({ path }) {
        const [run, progress] = await Promise.all([client.getRun(path.id), client.progress(path.id)]);
        return { status: 200, body: detailView(run, progress) };
      },
    }),
    operation({
      id: 'readMetrics',
      method: 'get',
      path: '/api/v1/runs/{id}/metrics',
      tag: 'Runs',
      summary: 'Metric points of a run',
      pathParameters: one,
      queryParameters: z.strictObject({
        series: z.string().min(1).max(200).optional().describe('Only this series.'),
        afterStep: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'Only points with a step above this one.'),
        limit: wholeNumber(1, 10_000, 'Number of points. Default 1000.'),
      }),
      replies: { 200: { description: 'The points.', schema: metricPage } },
      errors: ['RUN_NOT_FOUND'],
      async handle({ path, query }) {
        const page = await client.metrics({ runId: path.id, ...query });
        return { status: 200, body: { ...page, points: page.points.map(pointView) } };
      },
    }),
    operation({
      id: 'followRun',
      method: 'get',
      path: '/api/v1/runs/{id}/events',
      tag: 'Runs',
      summary: 'Server-sent events of a run until its end',
      description:
        'Events: `progress`, `metrics` (points, each exactly once), `notice`, and at last `end` with the run. Every event has an id; after a broken connection send the last one as `Last-Event-ID` (a browser does so by itself) and the stream goes on without gap or repetition of metric points. After `end` the answer is 204, which ends a browser’s reconnecting. A comment comes at least every ' +
        `${apiLimits.heartbeatMs / 1000} seconds.`,
      pathParameters: one,
      queryParameters: z.strictObject({
        metrics: z.enum(['true', 'false']).optional().describe('Whether metric points are sent. Default true.'),
      }),
      headers: { 'Last-Event-ID': { description: 'Id of the last event that was received.', required: false } },
      replies: {
        200: { description: 'The events.', type: 'text/event-stream' },
        204: { description: 'The run is over and its end was received.' },
      },
      events: eventData,
      errors: ['RUN_NOT_FOUND'],
      async handle({ path, query, request, response }) {
        await streams.serve({ runId: path.id, withMetrics: query.metrics !== 'false', request, response });
        return null;
      },
    }),
    ...(['pause', 'resume', 'cancel'] as const).map((verb) => steeringOperation(client, verb)),
  ];
}

const steeringTexts = {
  pause: ['Pause a run', 'The work stops at its next checkpoint. Without effect on a paused run.'],
  resume: ['Go on after a pause', 'Without effect on a run that is not paused.'],
  cancel: ['Cancel a run', 'The run is cancelled within seconds. Without effect on a cancelled run.'],
} as const;

function steeringOperation(client: CoxswainClient, verb: keyof typeof steeringTexts): Operation {
  const [summary, description] = steeringTexts[verb];
  return operation({
    id: `${verb}Run`,
    method: 'post',
    path: `/api/v1/runs/{id}/${verb}`,
    tag: 'Runs',
    summary,
    description,
    pathParameters: one,
    replies: { 202: { description: 'The request reached the run.', schema: steered } },
    errors: ['RUN_NOT_FOUND', 'RUN_FINISHED'],
    async handle({ path }) {
      await client[verb](path.id);
      return { status: 202, body: steeredView(path.id, verb) };
    },
  });
}

function nextQuery(query: { status?: string; pipeline?: string; limit?: number }, before: string): string {
  const { status, pipeline, limit } = query;
  const entries = Object.entries({ status, pipeline, limit, before }).filter(([, value]) => value !== undefined);
  return new URLSearchParams(entries.map(([key, value]): [string, string] => [key, String(value)])).toString();
}
