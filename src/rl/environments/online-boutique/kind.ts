import type { EnvironmentKind } from '../registry.ts';
import { hpaDecision } from './hpa-decision.ts';
import { createOnlineBoutique } from './online-boutique.ts';
import type { OnlineBoutique } from './online-boutique.ts';
import { parameterHelp, parseOnlineBoutiqueParameters } from './options.ts';

/** Bins of a day. */
const DAY = 5760;

/**
 * One day of 40 to 280 requests/s as a sine, without noise: what the registered kind plays, since a registry hands out
 * environments without a recording. A run plays its recording.
 */
function exampleDay(): Float64Array {
  return Float64Array.from({ length: DAY }, (_, bin) => 15 * (160 - 120 * Math.cos((2 * Math.PI * bin) / DAY)));
}

/** Online Boutique on an example day. */
export const onlineBoutique: EnvironmentKind = {
  name: 'online-boutique',
  summary: 'Scale the eleven services of Online Boutique every 15 s; simulated queues, start-up and draining.',
  parameters: parameterHelp,
  create: (parameters = {}) =>
    createOnlineBoutique({ ...parseOnlineBoutiqueParameters(parameters), trace: exampleDay() }),
  baselines: { hpa: (environment) => hpaDecision(environment as OnlineBoutique) },
  acceptedFindings: [
    {
      kind: 'dead-observation',
      where: /[.]proposal /,
      reason: 'The base of the action differs from the desired replicas only with actionBase hpa.',
    },
    {
      kind: 'dead-observation',
      where: /[.](ready|starting) /,
      reason:
        'These services start within one control step. Every service has the same features, so that recordings of others fit.',
    },
  ],
};
