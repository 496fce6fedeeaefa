import { z } from 'zod';
import { failure, report } from './report-schema.ts';
import { count, figures, link, runStatus, sha256, stepName, stepStatus, text, time } from './schema-parts.ts';

const step = z
  .strictObject({
    name: stepName,
    status: stepStatus,
    summary: text('One line for people.'),
    startedAt: time('When it began.').nullable(),
    finishedAt: time('When it ended.').nullable(),
  })
  .meta({ id: 'Step' });

const progress = z
  .strictObject({
    status: runStatus,
    step: stepName,
    fraction: z.number().min(0).max(1).describe('Share of the whole run that is done.'),
    steps: z.array(z.strictObject({ name: stepName, status: stepStatus, summary: z.string() })),
    metrics: figures('Latest training metrics, means over the seeds that reported.'),
    training: z.array(
      z.strictObject({
        seed: z.int(),
        step: count('Environment steps done.'),
        totalSteps: count('Environment steps to do.'),
        metrics: figures('Latest metrics of this seed.'),
      }),
    ),
  })
  .meta({ id: 'Progress', description: 'How far a run is.' });

const runLinks = z
  .strictObject({
    self: link('The run.'),
    metrics: link('Its metric points.'),
    events: link('Its server-sent events.'),
    pause: link('POST pauses it.'),
    resume: link('POST resumes it.'),
    cancel: link('POST cancels it.'),
  })
  .meta({ id: 'RunLinks' });

const runFields = {
  id: text('Id of the run.'),
  pipeline: z.string().nullable().describe('Name of the pipeline; null when the spec was refused.'),
  specSha256: sha256('Of the normalised spec.').nullable(),
  status: runStatus,
  step: stepName.describe('Where it is, or where it stopped.'),
  steps: z.array(step),
  createdAt: time('When it was started.'),
  updatedAt: time('When something was noted last.'),
  finishedAt: time('When it ended.').nullable(),
  failure: failure.nullable(),
  links: runLinks,
};

/** A run in a list. */
export const runSummary = z.strictObject(runFields).meta({ id: 'RunSummary' });

/** A run with everything that is known of it. */
export const runDetail = z
  .strictObject({
    ...runFields,
    progress,
    spec: z.unknown().describe('The normalised RunSpec; null when it was refused.'),
    report: report.nullable().describe('Null until the end.'),
  })
  .meta({ id: 'Run' });

export const runPage = z
  .strictObject({
    runs: z.array(runSummary),
    next: link('The next page; null at the end.').nullable(),
  })
  .meta({ id: 'RunPage' });

export const startedRun = z
  .strictObject({
    id: text('Id of the run.'),
    specSha256: sha256('Of the normalised spec.'),
    created: z.boolean().describe('False when a run of this id and spec was there already.'),
    links: runLinks,
  })
  .meta({ id: 'StartedRun' });

const metricPoint = z
  .strictObject({
    series: text('For example `train/seed-3`.'),
    step: z.number().describe('Environment steps done.'),
    at: time('When it was measured.'),
    values: figures('All values logged at this step.'),
  })
  .meta({ id: 'MetricPoint' });

export const metricPage = z
  .strictObject({
    series: z.array(z.string()).describe('All series of the run.'),
    points: z.array(metricPoint).describe('Ordered by series, then step.'),
    truncated: z.boolean().describe('The limit cut the points off: read on one series at a time with `afterStep`.'),
  })
  .meta({ id: 'MetricPage' });

export const steered = z
  .strictObject({ id: text('Id of the run.'), requested: z.enum(['pause', 'resume', 'cancel']), links: runLinks })
  .meta({ id: 'Steered', description: 'The request reached the run, which obeys within seconds.' });

/** Data of the server-sent events, by their names. */
export const eventData = {
  progress,
  metrics: z.strictObject({ points: z.array(metricPoint) }).meta({ id: 'MetricsEvent' }),
  notice: z
    .strictObject({ message: z.string() })
    .meta({ id: 'NoticeEvent', description: 'What holds the run, or the watching, up.' }),
  end: runDetail,
} as const;
