import { onlineBoutiqueScaling } from './online-boutique/scaling.ts';
import type { ScalingKind } from './scaling-environment.ts';
import { serviceGraphScaling } from './service-graph/scaling.ts';

/** The environments that a pipeline can train and judge in, by name. */
export const scalingKinds: Readonly<Record<string, ScalingKind>> = {
  [onlineBoutiqueScaling.name]: onlineBoutiqueScaling,
  [serviceGraphScaling.name]: serviceGraphScaling,
};
