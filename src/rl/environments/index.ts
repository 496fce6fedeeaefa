import { acrobot } from './acrobot.ts';
import { cartPole } from './cart-pole.ts';
import { mountainCarContinuous } from './mountain-car-continuous.ts';
import { mountainCar } from './mountain-car.ts';
import { onlineBoutique } from './online-boutique/kind.ts';
import { pendulum } from './pendulum.ts';
import { placementV1 } from './placement/placement-v1.ts';
import { placementV2 } from './placement/placement-v2.ts';
import { placementV3 } from './placement/placement-v3.ts';
import { radioResources } from './radio-resources/kind.ts';
import { recommendation } from './recommendation/kind.ts';
import type { EnvironmentKind } from './registry.ts';
import { serviceGraph } from './service-graph/kind.ts';

/** The environments that need nothing but parameters, by name. */
export const environments: Readonly<Record<string, EnvironmentKind>> = {
  [cartPole.name]: cartPole,
  [acrobot.name]: acrobot,
  [mountainCar.name]: mountainCar,
  [mountainCarContinuous.name]: mountainCarContinuous,
  [pendulum.name]: pendulum,
  [onlineBoutique.name]: onlineBoutique,
  [radioResources.name]: radioResources,
  [recommendation.name]: recommendation,
  [serviceGraph.name]: serviceGraph,
  [placementV1.name]: placementV1,
  [placementV2.name]: placementV2,
  [placementV3.name]: placementV3,
};
