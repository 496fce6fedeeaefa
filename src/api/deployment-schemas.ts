import { z } from 'zod';
import { controlModes } from '../contracts/control.ts';
import { artifact, count, link, sha256, text, time } from './schema-parts.ts';

const mode = z.enum(controlModes);
const actor = z.enum(['policy', 'fallback', 'nobody']).describe('Who acts.');

const fallback = z
  .strictObject({
    reason: z.enum(['policy-unavailable', 'observations-missing', 'error-budget', 'requested']),
    detail: text('Why, in a sentence.'),
    sinceStep: count('Step of the switch.'),
    at: text('When it was, ISO 8601.'),
  })
  .meta({ id: 'Fallback', description: 'The switch to the calibrated HPA.' });

const stepSummary = z
  .strictObject({
    step: count('Number of the step.'),
    at: text('When it was, ISO 8601.'),
    actor,
    changed: count('Workloads whose replicas were changed.'),
    guarded: count('Workloads for which the guard took something away.'),
    placed: count('Workloads placed and pods moved; absent without placement.').optional(),
    notes: z.array(z.string()).describe('Sentences for people.'),
  })
  .meta({ id: 'ControlStep' });

/** How a control loop stands. */
export const controlStatus = z
  .strictObject({
    status: z.enum(['opening', 'running', 'paused', 'stopping', 'stopped', 'failed']),
    mode,
    paused: z.boolean(),
    step: count('The next step.'),
    fallback: fallback.nullable().describe('Null while the policy acts.'),
    last: stepSummary.nullable(),
    failedSteps: count('Steps that failed as a whole.'),
  })
  .meta({ id: 'ControlStatus', description: 'How a control loop stands.' });

const deploymentLinks = z
  .strictObject({
    self: link('The deployment.'),
    decisions: link('What it has decided.'),
    events: link('What happened to it.'),
  })
  .meta({ id: 'DeploymentLinks' });

const summaryFields = {
  name: text('Name of the deployment.'),
  status: z
    .enum(['opening', 'running', 'paused', 'stopping', 'stopped', 'failed', 'lost'])
    .describe('`lost`: the loop was ended from outside; stop the deployment, or open it again.'),
  failure: z.string().nullable(),
  mode: mode.nullable().describe('Null until it is known.'),
  model: z.strictObject({ name: z.string(), version: count('Version.') }).nullable(),
  openedAt: time('When it was opened.').nullable(),
  closedAt: time('When it was closed.').nullable(),
  loop: controlStatus.nullable().describe("The loop's own answer; null when it is over or no worker answers."),
  links: deploymentLinks,
};

const service = z.strictObject({
  service: text('Of the policy.'),
  workload: text('`namespace/name`'),
  kind: z.enum(['Deployment', 'StatefulSet']),
  comesAndGoes: z.boolean().describe('Whether it may be missing at times.'),
  limits: z.record(z.string(), z.number()).describe('What may be done to it at all; see guard.limits.'),
});

const pausedOwner = z.strictObject({
  workload: text('`namespace/name`'),
  kind: z.enum(['HorizontalPodAutoscaler', 'ScaledObject']),
  name: text('Its name.'),
});

/** A deployment in a list. */
export const deploymentSummary = z.strictObject(summaryFields).meta({ id: 'DeploymentSummary' });

export const deploymentList = z
  .strictObject({ deployments: z.array(deploymentSummary) })
  .meta({ id: 'DeploymentList' });

/** A deployment with everything that is known of it. */
export const deploymentDetail = z
  .strictObject({
    ...summaryFields,
    spec: z.unknown().describe('The normalised DeploymentSpec; null until it was opened.'),
    policy: artifact.nullable().describe('The ONNX policy.'),
    environment: z.string().nullable().describe('The environment that it was trained in.'),
    hpaTargetPercent: z.number().nullable().describe('CPU target of the fallback.'),
    services: z.array(service),
    pausedOwners: z.array(pausedOwner),
  })
  .meta({ id: 'Deployment' });

export const openedDeployment = z
  .strictObject({
    name: text('Name of the deployment.'),
    specSha256: sha256('Of the normalised spec.'),
    created: z.boolean().describe('False when it ran with this spec already.'),
    links: deploymentLinks,
  })
  .meta({ id: 'OpenedDeployment' });

const proposal = z.strictObject({ workload: text('`namespace/name`'), replicas: z.number() });

const guarded = z.strictObject({
  workload: text('`namespace/name`'),
  before: z.number().nullable().describe('Null when the workload is not there.'),
  proposed: z.number(),
  permitted: z.number().nullable(),
  reasons: z.array(z.strictObject({ reason: z.string(), detail: z.string() })),
});

const decision = z
  .strictObject({
    step: count('Number of the step.'),
    at: time('When it was made.'),
    mode,
    actor,
    problems: z.array(z.string()).describe('What was wrong with the observation.'),
    fallback: fallback.nullable(),
    observation: z.unknown().describe('What the step saw.'),
    policy: z.unknown().describe('What the policy was asked, bit for bit, and its answer; null when it was not asked.'),
    hpaReplicas: z
      .array(z.number().nullable())
      .nullable()
      .describe('Wish of the calibrated HPA by service; null for one that comes and goes and is not there.'),
    proposals: z.array(proposal),
    guarded: z.array(guarded),
    result: z
      .array(
        z.strictObject({
          workload: text('`namespace/name`'),
          outcome: z.enum(['scaled', 'already', 'moved', 'gone', 'failed']),
          replicas: z.number().nullable(),
          detail: z.string(),
        }),
      )
      .nullable()
      .describe('What was done; null until it is known.'),
    placement: z
      .unknown()
      .describe(
        'Where pods should be, what was proposed, and what was permitted; null in a deployment that does not place.',
      ),
    placementResult: z.unknown().describe('What was done about it; null until it is known.'),
    summary: stepSummary.nullable(),
  })
  .meta({ id: 'ControlDecision' });

export const decisionPage = z
  .strictObject({
    decisions: z.array(decision).describe('Rising steps.'),
    next: link('The page after this one; null when it has fewer steps than were asked for.').nullable(),
  })
  .meta({ id: 'DecisionPage' });

export const controlEvents = z
  .strictObject({
    events: z
      .array(
        z.strictObject({
          step: count('Step that it happened at.'),
          at: time('When it was.'),
          kind: z.string(),
          alert: z.boolean().describe('Whether somebody should look.'),
          message: z.string(),
        }),
      )
      .describe('Newest first; at most 200.'),
  })
  .meta({ id: 'ControlEvents' });

/** Body of POST …/mode. */
export const modeRequest = z.strictObject({ mode });

/** Body of POST …/fallback. */
export const fallbackRequest = z.strictObject({
  reason: z.string().max(500).describe('Why, for the record.').default(''),
});
