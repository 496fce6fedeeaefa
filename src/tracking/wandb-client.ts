import { saveArtifact } from './wandb-artifact.ts';
import { TrackerFailure } from './tracker.ts';
import type { RunDescription, RunNews, StartedRun, Tracker } from './tracker.ts';
import { wandbConfig } from './wandb-config.ts';
import { wandbQueries } from './wandb-queries.ts';
import { createWandbTransport } from './wandb-transport.ts';
import type { WandbTransport, WandbTransportOptions } from './wandb-transport.ts';

/**
 * A thin client of the W&B protocol, on Node's fetch.
 *
 * @throws CoxswainError CONFIG_INVALID when the base URL is not an http(s) address without credentials.
 */
export function createWandbTracker(options: WandbTransportOptions): Tracker {
  const transport = createWandbTransport(options);
  const stream = (run: StartedRun, body: object, signal: AbortSignal): Promise<RunNews> =>
    postStream(transport, run, body, signal);
  return {
    startRun: (run, signal) => upsertRun(transport, appUrl(options.baseUrl), run, signal),
    appendHistory: (run, { offset, lines, summary }, signal) =>
      stream(run, { files: { 'wandb-history.jsonl': { offset, content: lines }, ...summaryFile(summary) } }, signal),
    updateSummary: (run, summary, signal) => stream(run, { files: summaryFile(summary) }, signal),
    sendHeartbeat: (run, signal) => stream(run, {}, signal),
    uploadModel: (run, model, signal) => saveArtifact(transport, run, model, signal),
    async finishRun(run, { exitCode, summary }, signal) {
      await stream(run, { files: summaryFile(summary), complete: true, exitcode: exitCode }, signal);
    },
  };
}

async function upsertRun(
  transport: WandbTransport,
  app: string,
  run: RunDescription,
  signal: AbortSignal,
): Promise<StartedRun> {
  const variables = {
    name: run.id,
    project: run.project,
    entity: run.entity,
    groupName: run.group,
    displayName: run.displayName,
    notes: run.notes,
    jobType: run.jobType,
    commit: run.commit,
    tags: run.tags,
    config: JSON.stringify(wandbConfig(run)),
  };
  const call = { operationName: 'UpsertBucket', query: wandbQueries.upsertBucket, variables, alsoRetry: [409] };
  const data = (await transport.graphql(call, signal)) as Partial<UpsertData>;
  const bucket = data.upsertBucket?.bucket;
  const project = bucket?.project.name;
  const entity = bucket?.project.entity.name;
  if (typeof project !== 'string' || typeof entity !== 'string')
    throw new TrackerFailure('refused', 'W&B answered UpsertBucket without a project and an entity');
  const url = [app, entity, project, 'runs', run.id].map((part, at) => (at === 0 ? part : encodeURIComponent(part)));
  const lines = data.upsertBucket?.inserted ? 0 : (bucket?.historyLineCount ?? 0);
  return { id: run.id, project, entity, url: url.join('/'), lines };
}

interface UpsertData {
  upsertBucket: {
    inserted: boolean | null;
    bucket: { historyLineCount: number | null; project: { name: string; entity: { name: string } } };
  };
}

/** Posts to the run's file stream; an empty body is a heartbeat. */
async function postStream(
  transport: WandbTransport,
  run: StartedRun,
  body: object,
  signal: AbortSignal,
): Promise<RunNews> {
  const path = ['files', run.entity, run.project, run.id, 'file_stream'].map(encodeURIComponent).join('/');
  const answer = (await transport.post(path, body, signal)) as { stopped?: unknown } | null;
  return { stopRequested: answer?.stopped === true };
}

/** The summary is a file of one line that is always replaced. */
function summaryFile(summary: object): object {
  return { 'wandb-summary.json': { offset: 0, content: [JSON.stringify(summary)] } };
}

/** Where people look: W&B's cloud has another host for it, a server of one's own has not. */
function appUrl(baseUrl: string): string {
  const { origin } = new URL(baseUrl);
  return origin === 'https://api.wandb.ai' ? 'https://wandb.ai' : origin;
}
