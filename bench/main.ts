import { summarised } from './figure.ts';
import type { Figure } from './figure.ts';
import { pipelineStepOverhead } from './figures/pipeline-step-overhead.ts';
import { boutiqueEnvironment } from './figures/boutique-environment.ts';
import { ppoBoutique } from './figures/boutique-ppo.ts';
import { policyForwardB1, policyForwardB64 } from './figures/policy-forward.ts';
import { ppoCartPole } from './figures/ppo-cart-pole.ts';
import { ppoUpdateB2048, ppoUpdateB64 } from './figures/ppo-update.ts';
import { returns } from './figures/returns.ts';

/** Every figure, in the order in which they are measured. */
const figures: readonly Figure[] = [
  ppoBoutique,
  boutiqueEnvironment,
  ppoCartPole,
  ppoUpdateB64,
  ppoUpdateB2048,
  policyForwardB1,
  policyForwardB64,
  pipelineStepOverhead,
  ...returns,
];

// `npm run bench [-- NAME…]` prints one JSON line a figure; all figures when none is named.
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !figures.some((figure) => figure.name === name));
if (unknown.length > 0) {
  process.stderr.write(`Unknown: ${unknown.join(', ')}. Figures: ${figures.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
for (const figure of figures) {
  if (asked.length > 0 && !asked.includes(figure.name)) continue;
  process.stdout.write(`${JSON.stringify(summarised(figure, await figure.measure()))}\n`);
}
