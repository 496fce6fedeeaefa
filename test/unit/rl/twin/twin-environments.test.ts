import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createHpa } from '../../../../src/rl/baselines/hpa.ts';
import { onlineBoutiqueApplication } from '../../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import type { ScalingTask } from '../../../../src/rl/environments/scaling-environment.ts';
import { scalingKinds } from '../../../../src/rl/environments/scaling-kinds.ts';
import { exampleTwin } from '../../../../src/rl/environments/twin/example-twin.ts';
import { evaluateController } from '../../../../src/rl/evaluation/evaluate.ts';
import { boutiqueGraph } from '../../../../src/rl/environments/service-graph/boutique-graph.ts';
import { applicationOf } from '../../../../src/rl/twin/application-of.ts';
import { fitTwin } from '../../../../src/rl/twin/fit-twin.ts';
import { decodeTwin, encodeTwin } from '../../../../src/rl/twin/twin-bytes.ts';
import { plannedSteps } from '../../../../src/domain/planned-steps.ts';
import { parseRunSpec } from '../../../../src/spec/run-spec.ts';
import { environmentSuite } from '../../../contracts/environment-suite.ts';
import { recordApplication, swing } from './record-application.ts';

const recording = recordApplication(onlineBoutiqueApplication, {
  bins: 1200,
  requestsPerSecond: swing(60),
  absent: {
    adservice: [
      [300, 600],
      [1000, 1100],
    ],
  },
});
const twin = fitTwin(recording);
const bytes = encodeTwin(twin);
const trace = Float64Array.from(recording.requestsPerSecond, (rate) => 15 * rate);
const { twin: flat, 'twin-graph': graph } = scalingKinds;
const parameters = { episodeSteps: 40 };

environmentSuite('twin', () => flat.task(parameters, trace, 60, twin).createForAgent(), { maxSteps: 60 });
environmentSuite('twin-graph', () => graph.task(parameters, trace, null, twin).createForAgent(), { maxSteps: 60 });

test('the graph of the twin has a slot for each service, and lets the one that came and went come and go', () => {
  const environment = graph.task({ episodeSteps: 1000, changesPerHour: 60 }, trace, null, twin).createForAgent();
  assert.equal(environment.description.graph?.nodes, 11);
  environment.reset(1);
  const counts = new Set<number>();
  for (let step = 0; step < 300; step++) {
    const { measures } = environment.stepReplicas(environment.view.desiredReplicas);
    counts.add(measures.services);
  }
  assert.deepEqual([...counts].sort(), [10, 11]);
});

test('services come and go as often as they did, unless a parameter says otherwise', () => {
  const changes = (given: Readonly<Record<string, number>>): unknown =>
    (graph.task(given, trace, null, twin).recipe.options as { changesPerHour: number }).changesPerHour;
  assert.equal(changes({}), twin.changesPerHour);
  assert.equal(changes({ changesPerHour: 7 }), 7);
});

test('without a twin both say what to do', () => {
  for (const kind of [flat, graph]) {
    assert.ok(kind.needsTwin);
    assert.throws(() => kind.task(parameters, trace, null, null), {
      code: 'ENVIRONMENT_INVALID',
      message: new RegExp(`environment.name "${kind.name}" needs a twin .* set collect.source.kind to "cluster"`),
    });
    kind.task(parameters, trace, null, exampleTwin).createForAgent();
  }
});

test('an HPA costs and violates in the fitted twin what it does in the application', () => {
  const episodes = [0, 300, 600, 900].map((offset) => ({ offset, seed: offset }));
  const measure = (task: ScalingTask): { pods: number; violations: number } => {
    const measures = evaluateController(createHpa({ targetPercent: 60 }), task, episodes);
    const mean = (name: 'podSeconds' | 'sloViolationRate'): number =>
      measures.reduce((sum, episode) => sum + episode[name], 0) / measures.length;
    return { pods: mean('podSeconds'), violations: mean('sloViolationRate') };
  };
  const given = { episodeSteps: 240 };
  const real = measure(scalingKinds['online-boutique'].task(given, trace, null, null));
  const fitted = measure(flat.task(given, trace, null, twin));
  assert.ok(Math.abs(fitted.pods / real.pods - 1) < 0.05, `${fitted.pods} pod-seconds instead of ${real.pods}`);
  assert.ok(Math.abs(fitted.violations - real.violations) < 0.01, `${fitted.violations} instead of ${real.violations}`);
});

describe('the stored twin', () => {
  test('comes back as it was', () => assert.deepEqual(decodeTwin(bytes), JSON.parse(JSON.stringify(twin))));

  test('is refused when it is no twin, of another version, or breaks a rule of the simulator', () => {
    const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
    assert.throws(() => decodeTwin(bytes.subarray(0, 50)), { code: 'ARTIFACT_CORRUPT', message: /no JSON/ });
    assert.throws(() => decodeTwin(text(null)), { code: 'ARTIFACT_CORRUPT' });
    assert.throws(() => decodeTwin(text({ ...twin, version: 2 })), { code: 'ARTIFACT_CORRUPT', message: /found 2/ });
    const { graph: _graph, ...without } = twin;
    assert.throws(() => decodeTwin(text(without)), { code: 'ARTIFACT_CORRUPT', message: /lacks/ });
    const services = twin.application.services.map((service) => ({ ...service, serversPerPod: 0 }));
    assert.throws(() => decodeTwin(text({ ...twin, application: { ...twin.application, services } })), {
      code: 'ENVIRONMENT_INVALID',
    });
  });
});

describe('the application that a policy steers', () => {
  test('is Online Boutique’s or the twin’s', () => {
    assert.equal(applicationOf('online-boutique', null), onlineBoutiqueApplication);
    assert.deepEqual(applicationOf('twin', bytes), decodeTwin(bytes).application);
    assert.equal(applicationOf('service-graph', null), boutiqueGraph);
    assert.deepEqual(applicationOf('twin-graph', bytes), decodeTwin(bytes).graph);
  });

  test('is refused for other environments, and for a twin that is missing', () => {
    assert.throws(() => applicationOf('twin', null), { code: 'ENVIRONMENT_INVALID', message: /twin is missing/ });
    assert.throws(() => applicationOf('twin-graph', null), { code: 'ENVIRONMENT_INVALID', message: /twin is missing/ });
    assert.throws(() => applicationOf('placement-v1', null), {
      code: 'ENVIRONMENT_INVALID',
      message: /"placement-v1" cannot steer a cluster; environments that can: online-boutique, twin, service-graph/,
    });
  });
});

test('runs in an environment that needs a twin, and only those, fit one', () => {
  for (const { name, needsTwin } of Object.values(scalingKinds)) {
    const steps = plannedSteps(parseRunSpec({ version: 1, name: 'x', environment: { name } }));
    assert.equal(steps.includes('fit'), needsTwin, name);
  }
});
