import { CoxswainError } from '../../contracts/errors.ts';
import { nearestName } from '../../domain/nearest-name.ts';
import { onlineBoutiqueScaling } from './online-boutique/scaling.ts';
import type { ScalingKind } from './scaling-environment.ts';
import { serviceGraphScaling } from './service-graph/scaling.ts';
import { twinGraphScaling, twinScaling } from './twin/scaling.ts';

/** The environments that a pipeline can train and judge in, by name. */
export const scalingKinds: Readonly<Record<string, ScalingKind>> = {
  [onlineBoutiqueScaling.name]: onlineBoutiqueScaling,
  [serviceGraphScaling.name]: serviceGraphScaling,
  [twinScaling.name]: twinScaling,
  [twinGraphScaling.name]: twinGraphScaling,
};

/** The kind that a spec's `environment.name` names. @throws CoxswainError SPEC_INVALID with the nearest name and all names. */
export function scalingKindNamed(name: string): ScalingKind {
  if (Object.hasOwn(scalingKinds, name)) return scalingKinds[name];
  const names = Object.keys(scalingKinds);
  const nearest = nearestName(name, names);
  const hint = nearest ? `nearest: ${nearest}; ` : '';
  throw new CoxswainError('SPEC_INVALID', `environment.name: found "${name}"; ${hint}allowed: ${names.join(', ')}`);
}
