import { summarised } from './figure.ts';
import type { Figure } from './figure.ts';
import { pipelineStepOverhead } from './figures/pipeline-step-overhead.ts';
import { boutiqueEnvironment } from './figures/boutique-environment.ts';
import { ppoBoutique } from './figures/boutique-ppo.ts';
import { controlStep } from './figures/control-step.ts';
import { controlHours, controlWeek } from './figures/control-week.ts';
import { dqnCartPole } from './figures/dqn-cart-pole.ts';
import { dqnSoak } from './figures/dqn-soak.ts';
import { graphPpoServiceGraph } from './figures/graph-ppo-service-graph.ts';
import { graphPpoUpdateB64 } from './figures/graph-ppo-update.ts';
import { observeClusterMemory, observeClusterSeconds } from './figures/observe-cluster.ts';
import { policyForwardB1, policyForwardB64 } from './figures/policy-forward.ts';
import { ppoCartPoleSeconds, ppoSpeeds } from './figures/ppo-speed.ts';
import { ppoUpdateB2048, ppoUpdateB64 } from './figures/ppo-update.ts';
import { replayMemoryPrioritised, replayMemoryUniform } from './figures/replay-memory.ts';
import { returns } from './figures/returns.ts';
import { serviceGraphReturns } from './figures/service-graph-returns.ts';
import { twinLoadCpu, twinLoadLargeScrape, twinLoadScrape, twinLoadStep } from './figures/twin-load.ts';
import { sacPendulum } from './figures/sac-pendulum.ts';

/** Every figure, in the order in which they are measured. */
const figures: readonly Figure[] = [
  ppoBoutique,
  boutiqueEnvironment,
  ...ppoSpeeds,
  ppoCartPoleSeconds,
  dqnCartPole,
  sacPendulum,
  replayMemoryUniform,
  replayMemoryPrioritised,
  ppoUpdateB64,
  ppoUpdateB2048,
  graphPpoUpdateB64,
  graphPpoServiceGraph,
  policyForwardB1,
  policyForwardB64,
  pipelineStepOverhead,
  twinLoadStep,
  twinLoadScrape,
  twinLoadLargeScrape,
  twinLoadCpu,
  observeClusterSeconds,
  observeClusterMemory,
  controlStep,
  ...returns,
];

/** Figures that take so long that they are measured only when they are named. */
const longFigures: readonly Figure[] = [dqnSoak, ...controlHours, ...controlWeek, ...serviceGraphReturns];

// `npm run bench [-- NAME…]` prints one JSON line a figure; all figures when none is named.
const asked = process.argv.slice(2);
const known = [...figures, ...longFigures];
const unknown = asked.filter((name) => !known.some((figure) => figure.name === name));
if (unknown.length > 0) {
  process.stderr.write(`Unknown: ${unknown.join(', ')}. Figures: ${known.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
for (const figure of asked.length > 0 ? known.filter(({ name }) => asked.includes(name)) : figures) {
  const reason = (await figure.unavailable?.()) ?? null;
  if (reason !== null) process.stderr.write(`${figure.name} is not measured: ${reason}\n`);
  else process.stdout.write(`${JSON.stringify(summarised(figure, await figure.measure()))}\n`);
}
