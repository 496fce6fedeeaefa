import { z } from 'zod';
import { controlModes } from '../contracts/control.ts';
import {
  dashedName,
  kubernetesLabel,
  kubernetesName,
  listOf,
  numberAbove,
  numberBetween,
  oneOf,
  text,
  wholeNumber,
} from './allowed-values.ts';

const maxReplicas = 10_000;
const maxCoolDownSeconds = 86_400;

const bound = (meaning: string) => wholeNumber(0, maxReplicas, meaning).nullable();

/** The limits of a workload, without defaults. */
const limitFields = {
  minReplicas: bound('Fewest replicas; null = as few as the policy was trained with.'),
  maxReplicas: bound('Most replicas; null = as many as the policy was trained with.'),
  maxStepUp: wholeNumber(0, maxReplicas, 'Replicas that one step may add.'),
  maxStepDown: wholeNumber(0, maxReplicas, 'Replicas that one step may remove.'),
  coolDownUpSeconds: numberBetween(
    0,
    maxCoolDownSeconds,
    'Least time between the last change of the replicas, by whomever, and the next one upwards, seconds.',
  ),
  coolDownDownSeconds: numberBetween(0, maxCoolDownSeconds, 'The same downwards, seconds.'),
};

const limits = z
  .strictObject({
    minReplicas: limitFields.minReplicas.default(null),
    maxReplicas: limitFields.maxReplicas.default(null),
    maxStepUp: limitFields.maxStepUp.default(7),
    maxStepDown: limitFields.maxStepDown.default(2),
    coolDownUpSeconds: limitFields.coolDownUpSeconds.default(0),
    coolDownDownSeconds: limitFields.coolDownDownSeconds.default(60),
  })
  .describe('Limits of every workload.');

const serviceLimits = z.strictObject(limitFields).partial().describe('Limits of one service.');

const podHours = z
  .strictObject({
    budget: numberAbove(0, 1_000_000_000, 'Pod-hours that all workloads together may use within the window.'),
    windowHours: wholeNumber(1, 168, 'Length of the window, hours.').default(24),
  })
  .nullable()
  .default(null)
  .describe('What all workloads together may use; null = as much as their limits allow.');

const frozenHours = z.strictObject({
  days: listOf(wholeNumber(0, 6, 'A day.'), 1, 7, 'Days on which they begin: 0 = Sunday … 6 = Saturday, UTC.'),
  fromMinute: wholeNumber(0, 1439, 'When they begin, minutes since midnight, UTC.'),
  toMinute: wholeNumber(0, 1440, 'When they end; up to `fromMinute` = on the next day.'),
});

const guard = z
  .strictObject({
    limits: limits.prefault({}),
    services: z
      .record(text(1, 200, 'Name of a service of the policy.'), serviceLimits, {
        error: 'an object of limits by the name of a service',
      })
      .describe('Other limits of single services, by name; fields as in `guard.limits`, the rest stays as there.')
      .default({}),
    podHours,
    frozen: listOf(frozenHours, 0, 32, 'Hours of the week in which nothing is changed.').default([]),
    maxObservationAgeSteps: wholeNumber(
      0,
      40,
      'Nothing is changed on an observation that is more control steps old.',
    ).default(2),
  })
  .superRefine(({ limits: all, services }, context) => {
    const check = (min: number | null, max: number | null, path: string[]): void => {
      if (min === null || max === null || min <= max) return;
      context.addIssue({
        code: 'custom',
        path: [...path, 'minReplicas'],
        message: `at most maxReplicas, which is ${max}`,
      });
    };
    check(all.minReplicas, all.maxReplicas, ['limits']);
    for (const [name, own] of Object.entries(services)) {
      const merged = { ...all, ...own };
      if ('minReplicas' in own || 'maxReplicas' in own) {
        check(merged.minReplicas, merged.maxReplicas, ['services', name]);
      }
    }
  })
  .describe('What the policy, and the fallback in its place, may do.');

const fallback = z
  .strictObject({
    controller: oneOf(
      ['own', 'native'],
      'Our HPA in the same loop, or HPA objects of the cluster, which go on without us.',
    ).default('own'),
    hpaTargetPercent: wholeNumber(
      1,
      200,
      "Its CPU target, percent; null = the one that the policy's evaluation calibrated.",
    )
      .nullable()
      .default(null),
    errorBudget: z
      .strictObject({
        violationShare: numberAbove(
          0,
          1,
          'The fallback takes over when a larger share of the requests of the window is slower than the SLO.',
        ).default(0.05),
        windowSteps: wholeNumber(1, 60, 'Length of the window, control steps.').default(20),
      })
      .prefault({}),
  })
  .describe('The calibrated HPA that takes over when the policy may not go on.');

const target = z
  .strictObject({
    namespace: kubernetesLabel('Namespace of the workloads; the configuration of the control worker must allow it.'),
    workloads: z
      .record(text(1, 200, 'Name of a service of the policy.'), kubernetesName('Name of its workload.'), {
        error: 'an object of names of workloads by the name of a service',
      })
      .describe('Deployment or StatefulSet of each service of the policy that has another name there.')
      .default({}),
    entry: text(1, 200, "Service that users' requests come to; null = the first one of the policy.")
      .nullable()
      .default(null),
  })
  .describe('What is steered.');

const metrics = z
  .strictObject({
    dialect: oneOf(['istio', 'opentelemetry'], 'Which names the series of the mesh have.').default('istio'),
    windowSeconds: wholeNumber(
      1,
      3600,
      'Rates are means over this long, at least four scrape intervals, seconds.',
    ).default(60),
  })
  .describe('How the services are observed.');

const placement = z
  .strictObject({
    nodes: z
      .record(
        text(1, 200, 'Name of a service of the policy.'),
        listOf(kubernetesName('A node.'), 1, 100, 'Nodes that its pods are kept on.'),
        { error: 'an object of lists of nodes by the name of a service' },
      )
      .describe(
        'Nodes that the pods of a service are kept on, by its name (node affinity); those of others run anywhere.',
      )
      .default({}),
    leaveCordoned: z
      .boolean({ error: 'true | false' })
      .describe('Whether pods on nodes that are cordoned or not ready are moved away, by eviction.')
      .default(true),
    movesPerStep: wholeNumber(1, 100, 'Pods that one step may evict, over all workloads.').default(1),
    coolDownSeconds: numberBetween(
      0,
      maxCoolDownSeconds,
      'Least time between two placement changes of one workload, seconds.',
    ).default(60),
  })
  .nullable()
  .default(null)
  .describe('Where pods run; null = where the scheduler puts them.');

const modelVersionError = 'a version from 1, or an alias';

const model = z
  .strictObject({
    name: dashedName('Name of the model in the registry.'),
    version: z
      .union([z.int().min(1), dashedName('Alias.')], { error: modelVersionError })
      .describe('Version or alias, as it stands when the deployment is opened.')
      .default('champion'),
  })
  .describe('The policy.');

/** What a deployment is beside its policy: also the fields of `deploy` in a RunSpec. */
export const deploymentTargetFields = {
  name: dashedName('Name of the deployment, and its id.'),
  description: text(0, 2000, 'For people.').default(''),
  target,
  mode: oneOf(controlModes, 'Whether its decisions are only recorded, or done.').default('shadow'),
  intervalSeconds: numberBetween(1, 3600, 'Length of a control step, seconds.').default(15),
  metrics: metrics.prefault({}),
  guard: guard.prefault({}),
  owners: oneOf(
    ['refuse', 'pause'],
    'What to do with an HPA or ScaledObject that sets the replicas: do not start, or pause it until the end.',
  ).default('refuse'),
  fallback: fallback.prefault({}),
  placement,
};

/**
 * The one schema of a DeploymentSpec, for YAML and JSON. Only `version`, `name`, `model.name` and `target.namespace` have
 * no default. The plain type is DeploymentSpec in src/contracts/control.ts; a test proves both equal.
 */
export const deploymentSpecSchema = z.strictObject({
  version: z.literal(1, { error: '1' }).describe('Version of this format.'),
  name: deploymentTargetFields.name,
  description: deploymentTargetFields.description,
  model,
  target: deploymentTargetFields.target,
  mode: deploymentTargetFields.mode,
  intervalSeconds: deploymentTargetFields.intervalSeconds,
  metrics: deploymentTargetFields.metrics,
  guard: deploymentTargetFields.guard,
  owners: deploymentTargetFields.owners,
  fallback: deploymentTargetFields.fallback,
  placement: deploymentTargetFields.placement,
});
