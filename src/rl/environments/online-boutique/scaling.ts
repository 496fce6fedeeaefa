import { extname } from 'node:path';

import type { ScalingKind, ScalingTask } from '../scaling-environment.ts';
import { onlineBoutiqueApplication } from './online-boutique-application.ts';
import { createOnlineBoutique } from './online-boutique.ts';
import { defaultParameters, parseOnlineBoutiqueParameters } from './options.ts';
import type { OnlineBoutiqueOptions } from './options.ts';

/** Online Boutique for pipelines. */
export const onlineBoutiqueScaling: ScalingKind = {
  name: 'online-boutique',
  needsTwin: false,
  settings(given) {
    const parameters = parseOnlineBoutiqueParameters(given);
    const { episodeSteps, violationPrice } = { ...defaultParameters, ...parameters };
    return { episodeSteps, violationPrice, hpaTargetPercent: parameters.hpaTargetPercent ?? null };
  },
  task: (given, trace, hpaTargetPercent) =>
    onlineBoutiqueTask({
      ...parseOnlineBoutiqueParameters(given),
      trace,
      ...(hpaTargetPercent === null ? {} : { hpaTargetPercent }),
    }),
};

/** Online Boutique with these options, for agents and for controllers. */
export function onlineBoutiqueTask(options: OnlineBoutiqueOptions): ScalingTask {
  return {
    createForAgent: () => createOnlineBoutique(options),
    createForController: () => createOnlineBoutique({ ...options, actionBase: 'current' }),
    limits: (options.application ?? onlineBoutiqueApplication).services,
    recipe: {
      // With this file's own extension: .ts in the project, .js in the package.
      module: new URL(`./online-boutique${extname(import.meta.url)}`, import.meta.url).href,
      factory: createOnlineBoutique.name,
      options,
    },
  };
}
