import { cartPole } from './cart-pole.ts';
import { onlineBoutique } from './online-boutique/kind.ts';
import type { EnvironmentKind } from './registry.ts';

/** The environments that need nothing but parameters, by name. */
export const environments: Readonly<Record<string, EnvironmentKind>> = {
  [cartPole.name]: cartPole,
  [onlineBoutique.name]: onlineBoutique,
};
