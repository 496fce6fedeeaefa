import { z } from 'zod';
import { deploymentTargetFields } from './deployment-spec-schema.ts';
import {
  dashedName,
  jsonRecord,
  listOf,
  numberAbove,
  numberBetween,
  oneOf,
  pathInside,
  text,
  wholeNumber,
} from './allowed-values.ts';

/** Bins that a recording may have: 694 days of 15 s. Bounds the memory of every process that reads one. */
export const maxRecordingBins = 4_000_000;

const uint32Max = 4_294_967_295;

const generatorSource = z
  .strictObject({
    kind: z.literal('generator'),
    days: numberAbove(0, 366, 'Length of the recording, days.').default(14),
    meanRequestsPerSecond: numberAbove(0, 100_000, 'Mean rate over a week before flash crowds, requests/s.').default(
      60,
    ),
    dailyAmplitude: numberBetween(0, 1, 'How far the rate swings around its mean within a day.').default(0.5),
    weekendDrop: numberBetween(0, 1, 'How much quieter weekends are, as a share.').default(0.25),
    flashCrowdsPerDay: numberBetween(0, 288, 'Mean number of flash crowds a day.').default(3),
    flashCrowdPeak: numberBetween(1, 100, 'Peak of a flash crowd, times the rate of that moment.').default(2.5),
    flashCrowdMinutes: numberAbove(0, 1440, 'Length of a flash crowd, minutes.').default(20),
    noise: numberBetween(0, 1, 'Standard deviation of the slow noise that multiplies the rate.').default(0.1),
  })
  .describe('Seeded daily, weekly and flash-crowd traffic.');

const longLayout = z
  .strictObject({
    kind: z.literal('long'),
    timeColumn: text(1, 200, 'Header of the column with the time at which a bin begins.'),
    countColumn: text(1, 200, 'Header of the column with the value of the bin.'),
  })
  .describe('One row a bin.');

const wideLayout = z
  .strictObject({
    kind: z.literal('wide'),
    columnPrefix: text(0, 200, 'What stands before the number in the header of each bin, such as `minute_`.'),
    idColumn: text(1, 200, "Header of the column with a series' id."),
    ids: listOf(text(1, 1000, 'An id.'), 1, 10_000, 'Ids of the series to sum; null = every series.')
      .nullable()
      .default(null),
  })
  .describe('One row a series, one column a bin.');

const fileSource = z
  .strictObject({
    kind: z.literal('file'),
    folder: dashedName("Name of a data folder of the worker's configuration (COXSWAIN_DATA_FOLDERS)."),
    path: pathInside('Path of a CSV file inside that folder.'),
    layout: z.discriminatedUnion('kind', [longLayout, wideLayout], { error: 'an object with kind: long | wide' }),
    fileBinSeconds: wholeNumber(1, 86_400, 'Width of a bin in the file, seconds.').default(60),
    unit: oneOf(['requests-per-bin', 'requests-per-second'], 'What a value counts.').default('requests-per-bin'),
    rateScale: numberAbove(0, 1_000_000, 'Every rate is multiplied by it.').default(1),
    onGap: oneOf(['error', 'interpolate'], 'What a missing bin is.').default('error'),
    maxGapBins: wholeNumber(1, 10_000, 'Longer gaps are an error even with `interpolate`, bins of the file.').default(
      10,
    ),
    onDuplicate: oneOf(['error', 'sum'], 'What a second row for the same bin or id is.').default('error'),
    skipBins: wholeNumber(0, 1_000_000_000, 'Bins of the file to leave out at its beginning.').default(0),
    takeBins: wholeNumber(1, 1_000_000_000, 'Bins of the file to take; null = to its end.').nullable().default(null),
  })
  .describe('A request-rate file.');

const clusterName = (meaning: string) => {
  const error = '1 to 253 lower case letters, digits, dashes and dots, from a letter or digit to a letter or digit';
  return z
    .string({ error })
    .regex(/^(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, { error })
    .describe(meaning);
};

const clusterSource = z
  .strictObject({
    kind: z.literal('cluster'),
    namespace: clusterName("Namespace of the services; one that the worker's configuration allows."),
    entry: clusterName("Name of the workload that users' requests come to; null = the one called most from outside.")
      .nullable()
      .default(null),
    dialect: oneOf(['istio', 'opentelemetry'], 'Which names the series of calls have.').default('istio'),
    minutes: wholeNumber(1, 20_160, 'Length of the recording, minutes.').default(1440),
    startMinutesAgo: wholeNumber(
      0,
      525_600,
      'When it begins, minutes before the step; 0 = now, and what lies in the past comes from the history.',
    ).default(0),
    windowSeconds: wholeNumber(
      1,
      3600,
      'Rates are over a bin where it holds two scrapes, else over half of this, seconds; at least four scrape intervals.',
    ).default(60),
    maxMissingShare: numberBetween(
      0,
      1,
      'Share of bins that may lack a figure; a recording with more is refused.',
    ).default(0.05),
  })
  .describe('Live services, measured by Prometheus.');

/** Bins that a recording of a cluster may have: it holds a dozen series for each service. */
const maxClusterBins = 100_000;

const share = (meaning: string) => numberBetween(0.01, 0.98, meaning);

const split = z
  .strictObject({
    train: share('Share of the time line that is trained on.').default(0.6),
    validate: share('Share that every choice is made on.').default(0.2),
    heldOut: share('Share that only the verdict reads.').default(0.2),
  })
  .refine(({ train, validate, heldOut }) => Math.abs(train + validate + heldOut - 1) < 1e-9, {
    error: 'shares that sum to 1',
  });

const collect = z
  .strictObject({
    source: z
      .discriminatedUnion('kind', [generatorSource, fileSource, clusterSource], {
        error: 'an object with kind: generator | file | cluster',
      })
      .prefault({ kind: 'generator' }),
    binSeconds: wholeNumber(1, 3600, 'Length of a bin of the recording, which is the control step, seconds.').default(
      15,
    ),
    seed: wholeNumber(0, uint32Max, 'Seed of the arrivals.').default(1),
    split: split.prefault({}),
  })
  .superRefine(({ source, binSeconds }, context) => {
    if (source.kind === 'generator' && (source.days * 86_400) / binSeconds > maxRecordingBins)
      context.addIssue({
        code: 'custom',
        path: ['source', 'days'],
        message: `at most ${maxRecordingBins} bins of ${binSeconds} s, which is ${Math.floor((maxRecordingBins * binSeconds) / 86_400)} days`,
      });
    if (source.kind === 'cluster') {
      const bins = Math.floor((source.minutes * 60) / binSeconds);
      if (bins < 1 || bins > maxClusterBins)
        context.addIssue({
          code: 'custom',
          path: ['source', 'minutes'],
          message: `a length of 1 to ${maxClusterBins} bins of ${binSeconds} s; it has ${bins}`,
        });
    }
    if (source.kind === 'file' && source.fileBinSeconds % binSeconds !== 0 && binSeconds % source.fileBinSeconds !== 0)
      context.addIssue({
        code: 'custom',
        path: ['source', 'fileBinSeconds'],
        message: `a multiple or a divisor of collect.binSeconds, which is ${binSeconds}`,
      });
  })
  .describe('The request rates that everything is trained and judged on.');

const fit = z
  .strictObject({
    maxError: numberAbove(
      0,
      1,
      "Largest error of a service's CPU, calls or own latency on the part of the recording that was not fitted on, relative to the larger of the two.",
    ).default(0.2),
  })
  .describe('How near a twin has to be to the cluster that it was fitted to; for environments that are a twin.');

const environment = z
  .strictObject({
    name: dashedName('Name of a registered environment.').default('online-boutique'),
    parameters: jsonRecord('Its parameters; the environment checks them.').default({}),
  })
  .describe('What the agent acts in.');

const agent = z
  .strictObject({
    algorithm: dashedName('Name of a registered algorithm.').default('ppo'),
    hyperparameters: jsonRecord('Its hyperparameters; the algorithm checks them.').default({}),
  })
  .describe('What learns.');

const train = z
  .strictObject({
    seeds: listOf(wholeNumber(0, uint32Max, 'A seed.'), 1, 32, 'One training for each seed.').default([1, 2, 3, 4, 5]),
    totalSteps: wholeNumber(1, 1_000_000_000, 'Environment steps of each seed.').default(200_000),
    environments: wholeNumber(1, 1024, 'Environments that a seed steps in one batch.').default(8),
    evaluateEverySteps: wholeNumber(1, 1_000_000_000, 'Steps between evaluations on the validation part.').default(
      10_240,
    ),
    checkpointEverySteps: wholeNumber(1, 1_000_000_000, 'Steps between checkpoints.').default(10_240),
  })
  .describe('How long and how often it learns.');

const gate = z
  .strictObject({
    maxViolationRateIncrease: numberBetween(
      -1,
      1,
      'Margin for the share of requests above the SLO, policy − HPA, as a fraction.',
    ).default(0.001),
    maxPodSecondsIncrease: numberBetween(
      -1,
      10,
      'Margin for pod-seconds, (policy − HPA) / HPA, as a fraction.',
    ).default(0),
  })
  .describe('Promotion needs the upper bounds of both intervals below these margins.');

const evaluate = z
  .strictObject({
    validationEpisodes: wholeNumber(1, 1000, 'Episodes on the validation part.').default(12),
    heldOutEpisodes: wholeNumber(2, 1000, 'Episodes on the held-out part.').default(24),
    hpaTargetsPercent: listOf(
      wholeNumber(1, 200, 'A CPU target, percent.'),
      1,
      16,
      "CPU targets, percent, from which the HPA's is chosen.",
    ).default([20, 40, 60, 80]),
    bootstrapResamples: wholeNumber(100, 100_000, 'Resamples of the paired bootstrap.').default(2000),
    confidence: numberBetween(0.5, 0.999, 'Level of the intervals.').default(0.95),
    gate: gate.prefault({}),
  })
  .describe('How the policy is judged.');

const register = z
  .strictObject({
    model: dashedName("Name of the model in the registry. Default: the run spec's name.").optional(),
    alias: dashedName('Alias that a passed gate moves to the new version.').default('champion'),
  })
  .describe('Where the policy goes.');

const deploy = z
  .strictObject({
    ...deploymentTargetFields,
    name: dashedName("Name of the deployment, and its id. Default: the run spec's name.").optional(),
    intervalSeconds: numberBetween(
      1,
      3600,
      'Length of a control step, seconds. Default: `collect.binSeconds`.',
    ).optional(),
  })
  .nullable()
  .default(null)
  .describe('Where a policy goes whose gate has passed; null = nowhere.');

const wandbName = (meaning: string) => {
  const error = '1 to 128 letters, digits, dashes, dots and underscores';
  return z
    .string({ error })
    .regex(/^[A-Za-z0-9._-]{1,128}$/, { error })
    .describe(meaning);
};

const tracking = z
  .strictObject({
    wandb: z
      .strictObject({
        enabled: z
          .union([z.literal('auto'), z.boolean()], { error: 'auto | true | false' })
          .describe('Whether to mirror to W&B: `auto` (when the worker can), `true` or `false`.')
          .default('auto'),
        project: wandbName('Project in W&B.').default('coxswain'),
        entity: wandbName('Entity in W&B; null = that of the API key.').nullable().default(null),
        tags: listOf(text(1, 64, 'A tag.'), 0, 32, 'Tags of every W&B run.').default([]),
      })
      .prefault({}),
  })
  .describe('Where metrics are mirrored to.');

const gitShaError = '7 to 64 lower case hexadecimal digits, or null';

/**
 * The one schema of a RunSpec, for YAML and JSON. Only `version` and `name` have no default. The plain type is RunSpec
 * in src/contracts/run-spec.ts; a test proves both equal.
 */
export const runSpecSchema = z
  .strictObject({
    version: z.literal(1, { error: '1' }).describe('Version of this format.'),
    name: dashedName("Name of the pipeline. Part of the run's id; groups runs in trackers."),
    description: text(0, 2000, 'For people.').default(''),
    gitSha: z
      .string({ error: gitShaError })
      .regex(/^[0-9a-f]{7,64}$/, { error: gitShaError })
      .nullable()
      .default(null)
      .describe('Commit that the run belongs to.'),
    device: oneOf(['auto', 'cpu', 'gpu'], 'Where to train.').default('auto'),
    collect: collect.prefault({}),
    fit: fit.prefault({}),
    environment: environment.prefault({}),
    agent: agent.prefault({}),
    train: train.prefault({}),
    evaluate: evaluate.prefault({}),
    register: register.prefault({}),
    deploy,
    tracking: tracking.prefault({}),
  })
  .transform((spec) => ({
    ...spec,
    register: { ...spec.register, model: spec.register.model ?? spec.name },
    deploy: spec.deploy && {
      ...spec.deploy,
      name: spec.deploy.name ?? spec.name,
      intervalSeconds: spec.deploy.intervalSeconds ?? spec.collect.binSeconds,
    },
  }));
