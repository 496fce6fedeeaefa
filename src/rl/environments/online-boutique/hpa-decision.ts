import { createHpa } from '../../baselines/hpa.ts';
import type { Hpa } from '../../baselines/hpa.ts';
import { defaultHpaSettings } from '../../baselines/hpa-settings.ts';
import type { BaselineDecision } from '../registry.ts';
import { observationSize } from './boutique-observation.ts';
import type { OnlineBoutique } from './online-boutique.ts';
import { changeOf, CHOICES, choiceOf, LARGEST_CHANGE } from './replica-actions.ts';

/**
 * What an HPA without memory (no stabilisation) would do now, as an action. The lint asks it at moments in any order, so
 * it must not remember.
 */
export function hpaDecision({ view }: OnlineBoutique, targetPercent = 60): BaselineDecision {
  const hpa = hpaWithoutMemory(targetPercent);
  const wanted = new Int32Array(view.services.length);
  return ({ observation, actionMask }) => {
    hpa.reset();
    hpa.decide(view, wanted);
    return wanted.map((replicas, s) => {
      const proposal = observation[observationSize(s + 1) - 1];
      const base = view.desiredReplicas[s] + Math.round(LARGEST_CHANGE * proposal);
      return nearestAllowed(replicas - base, s, actionMask);
    });
  };
}

/** An HPA that does not stabilise: after a reset it decides by this moment alone. */
export function hpaWithoutMemory(targetPercent: number): Hpa {
  const settings = defaultHpaSettings(targetPercent);
  return createHpa({ ...settings, scaleDown: { ...settings.scaleDown, stabilizationWindowSeconds: 0 } });
}

/** The choice for a change, or for the largest allowed one in its direction. */
export function nearestAllowed(change: number, s: number, mask: Uint8Array | null): number {
  let choice = choiceOf(Math.min(Math.max(change, -LARGEST_CHANGE), LARGEST_CHANGE));
  while (mask?.[s * CHOICES + choice] === 0) choice = choiceOf(changeOf(choice) - Math.sign(changeOf(choice)));
  return choice;
}
