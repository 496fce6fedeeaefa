import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricsSnapshot, ServiceMetrics } from '../../../../src/contracts/cluster-metrics.ts';
import type { ControlObservation, ObservedWorkload } from '../../../../src/contracts/control.ts';
import { CoxswainError } from '../../../../src/contracts/errors.ts';
import type { HpaState } from '../../../../src/rl/baselines/hpa.ts';
import { onlineBoutiqueApplication } from '../../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { createOnlineBoutique } from '../../../../src/rl/environments/online-boutique/online-boutique.ts';
import type { OnlineBoutique } from '../../../../src/rl/environments/online-boutique/online-boutique.ts';
import { CHOICES, choiceOf } from '../../../../src/rl/environments/online-boutique/replica-actions.ts';
import { createLiveScaling } from '../../../../src/rl/live/live-scaling.ts';
import type { LiveDecision, LiveMemory, LiveScaling } from '../../../../src/rl/live/live-scaling.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { isSettled, perfectObservation } from './perfect-observation.ts';
import { someFigures, someWorkload } from './service-figures.ts';

const steps = 300;
const services = onlineBoutiqueApplication.services.map(({ name }) => name);
const parameters = {
  maxChange: 4,
  hpaTargetPercent: 50,
  maxTargetRatio: 1.5,
  minTargetRatio: 0.4,
  sloSeconds: 0.4,
  episodeSteps: steps,
};
/** Waves, and crowds that come at once. */
const trace = Float32Array.from(
  { length: steps + 60 },
  (_, t) => 600 + 400 * Math.sin(t / 15) + (t % 90 > 70 ? 500 : 0),
);

function scalingWith(of: Readonly<Record<string, unknown>>): LiveScaling {
  const environment = { name: 'online-boutique', parameters: of };
  return createLiveScaling({ environment, application: onlineBoutiqueApplication, hpaTargetPercent: 50 });
}

function simulated(actionBase: 'current' | 'hpa'): { environment: OnlineBoutique; scaling: LiveScaling } {
  const all = { ...parameters, actionBase };
  const environment = createOnlineBoutique({ trace, ...all });
  environment.resetAt(0, 4);
  return { environment, scaling: scalingWith(all) };
}

/** What the environment shows its agent at this moment. */
function shown(environment: OnlineBoutique): { observation: Float32Array; mask: Uint8Array } {
  return (environment as unknown as { decision: { observation: Float32Array; mask: Uint8Array } }).decision;
}

const hpaOf = (environment: OnlineBoutique): HpaState | null =>
  (environment.saveState() as { hpa: HpaState | null }).hpa;

/** Any allowed choice now and then, so that pods come, go and stay. */
function randomAction(mask: Uint8Array, generator: Generator, restless: boolean): Int32Array {
  return Int32Array.from(services, (_, s) => {
    const allowed = Array.from({ length: CHOICES }, (__, choice) => choice).filter((c) => mask[s * CHOICES + c] === 1);
    return restless && generator.uniform() < 0.15 ? allowed[generator.integer(allowed.length)] : 0;
  });
}

for (const actionBase of ['current', 'hpa'] as const) {
  test(`a live cluster looks to an agent as its simulation does, with actions on top of ${actionBase}`, () => {
    const { environment, scaling } = simulated(actionBase);
    const { observationTable } = environment.description;
    const generator = new Generator(1);
    const differences = new Map<string, number[]>();
    let settledSteps = 0;
    let memory: LiveMemory | null = null;
    for (let k = 0; k < steps; k++) {
      const settled = isSettled(environment);
      if (settled) settledSteps++;
      const live: LiveDecision = scaling.decide(perfectObservation(environment), k * 15, memory);
      const { observation, mask } = shown(environment);
      assert.ok(live.question !== null);
      observationTable.forEach(({ name }, i) => {
        const feature = name.split('.').at(-1)!;
        const depends = {
          utilisation: settled,
          proposal: settled || actionBase === 'current',
          flow: false,
          wait: false,
        };
        if (depends[feature as keyof typeof depends] ?? true) {
          assert.equal(live.question!.observation[i], observation[i], `${name} at step ${k}`);
        } else {
          const of = differences.get(feature) ?? [];
          differences.set(feature, [...of, Math.abs(live.question!.observation[i] - observation[i])]);
        }
      });
      const action = randomAction(mask, generator, k % 40 < 20);
      const meant = live.replicasOf(action);
      const before = [...mask];
      memory = { hpa: hpaOf(environment) };
      environment.step(action);
      if (settled || actionBase === 'current') {
        assert.deepEqual([...live.question.mask], before, `mask at step ${k}`);
        assert.deepEqual(meant, [...environment.view.desiredReplicas], `replicas at step ${k}`);
      }
    }
    assert.ok(settledSteps > steps / 2 && settledSteps < steps, `${settledSteps} settled steps`);
    const mean = (feature: string): number => {
      const of = differences.get(feature) ?? [];
      return of.reduce((sum, difference) => sum + difference, 0) / of.length;
    };
    // A mesh counts a call when it ends; the wait includes how long calls take that have not ended; pods come and go.
    assert.ok(mean('flow') < 1e-3, `flow ${mean('flow')}`);
    assert.ok(mean('wait') < 5e-3, `wait ${mean('wait')}`);
    assert.ok(mean('utilisation') < 0.05, `utilisation ${mean('utilisation')}`);
  });
}

test('the HPA that is carried from step to step is the simulation’s', () => {
  const { environment, scaling } = simulated('hpa');
  let memory: LiveMemory | null = null;
  let proposals = 0;
  for (let k = 0; k < 200; k++) {
    const live = scaling.decide(
      perfectObservation(environment),
      k * 15,
      memory && (JSON.parse(JSON.stringify(memory)) as LiveMemory),
    );
    memory = live.memory;
    assert.deepEqual(memory.hpa, hpaOf(environment), `step ${k}`);
    const desired = [...environment.view.desiredReplicas];
    const wanted = live.hpaReplicas!;
    if (wanted.some((replicas, s) => replicas !== desired[s])) proposals++;
    // Against every proposal, so that no pod comes or goes and CPU by pod is measured the same way at every step.
    environment.step(
      Int32Array.from(desired, (replicas, s) => choiceOf(Math.max(-4, Math.min(4, replicas - wanted[s]!)))),
    );
    if (!isSettled(environment)) break;
  }
  assert.ok(proposals > 20, `${proposals} steps with a proposal`);
});

test('what the HPA remembers holds it back from scaling down, for as long as it should', () => {
  const { environment, scaling } = simulated('hpa');
  const observation = perfectObservation(environment);
  const idle = observation.metrics!.services.map((one) => ({ ...one, cpuMillicores: 1 }));
  const calm = { ...observation, metrics: { ...observation.metrics!, services: idle } };
  const replicas = observation.workloads.map((one) => one!.replicas);
  const { memory } = scaling.decide(observation, 0, null);
  assert.ok(scaling.decide(calm, 285, memory).hpaReplicas!.every((count, s) => count! >= replicas[s]));
  assert.ok(scaling.decide(calm, 315, memory).hpaReplicas!.some((count, s) => count! < replicas[s]));
});

// What is missing, and what is said of it.

const metrics: MetricsSnapshot = {
  endSeconds: 0,
  stepSeconds: 15,
  requestsPerSecond: new Array<number>(41).fill(10),
  p95Seconds: 0.2,
  violationShare: 0,
  services: services.map(() => someFigures),
  missing: [],
};
const complete: ControlObservation = { metrics, workloads: services.map(() => someWorkload) };
const withService = (changes: Partial<ServiceMetrics>): ControlObservation => ({
  ...complete,
  metrics: { ...metrics, services: [{ ...someFigures, ...changes }, ...metrics.services.slice(1)] },
});
const withWorkload = (first: ObservedWorkload | null, from = complete): ControlObservation => ({
  ...from,
  workloads: [first, ...from.workloads.slice(1)],
});
const scaling = scalingWith({});
const [first] = services;

test('a complete observation has no flaws', () => {
  const { question, flaws, hpaReplicas } = scaling.decide(complete, 0, null);
  assert.ok(question !== null);
  assert.deepEqual(flaws, []);
  assert.equal(hpaReplicas?.length, services.length);
});

const incomplete: readonly [string, ControlObservation, readonly string[]][] = [
  ['without metrics', { ...complete, metrics: null }, ['the metrics are not there']],
  [
    'without the CPU of a service',
    withService({ cpuMillicores: null }),
    [`${first}: its CPU usage is not in the metrics`],
  ],
  ['without the calls of a service', withService({ callsPerSecond: null }), [`${first}: its calls are not known`]],
  [
    'without the time of a service’s calls',
    withService({ ownSeconds: null, meanSeconds: null }),
    [`${first}: the time of its calls is not known`],
  ],
  [
    'without the newest rate',
    { ...complete, metrics: { ...metrics, requestsPerSecond: [...metrics.requestsPerSecond.slice(1), null] } },
    ['the request rate of the newest step is not known'],
  ],
  [
    'with fewer rates than were asked for',
    { ...complete, metrics: { ...metrics, requestsPerSecond: [10, 10] } },
    ['the request rates are not those that were asked for'],
  ],
  [
    'without a latency while there are requests',
    { ...complete, metrics: { ...metrics, p95Seconds: null } },
    ["the latency of the users' requests is not known"],
  ],
];
for (const [what, observation, flaws] of incomplete) {
  test(`an observation ${what} is no question to the policy, while the HPA goes on`, () => {
    const live = scaling.decide(observation, 0, null);
    assert.equal(live.question, null);
    assert.deepEqual(live.flaws, flaws);
    assert.equal(live.hpaReplicas?.length, services.length);
    assert.throws(() => live.replicasOf(new Int32Array(services.length)), /no question/);
  });
}

test('what nobody asked for lacks nothing: no requests, no latency; no calls, no time', () => {
  const silent = services.map(() => ({ ...someFigures, callsPerSecond: 0, meanSeconds: null, ownSeconds: null }));
  const requestsPerSecond = new Array<number>(41).fill(0);
  const night = { ...metrics, requestsPerSecond, p95Seconds: null, violationShare: 0, services: silent };
  const { question, flaws } = scaling.decide({ ...complete, metrics: night }, 0, null);
  assert.deepEqual(flaws, []);
  assert.ok(question!.observation.every(Number.isFinite));
});

test('gaps in older rates are filled with the rate before, and the oldest ones with the first that there is', () => {
  const rates = (values: (number | null)[]): ControlObservation => ({
    ...complete,
    metrics: { ...metrics, requestsPerSecond: [...values, ...new Array<number>(41 - values.length).fill(50)] },
  });
  const gaps = scaling.decide(rates([null, null, 10, null, 30, null]), 0, null);
  const filled = scaling.decide(rates([10, 10, 10, 10, 30, 30]), 0, null);
  assert.deepEqual(gaps.question, filled.question);
});

test('a workload that is not there stops policy and HPA, and keeps the HPA’s state', () => {
  const { memory } = scaling.decide(complete, 0, null);
  const live = scaling.decide(withWorkload(null), 15, memory);
  assert.deepEqual([live.question, live.hpaReplicas], [null, null]);
  assert.deepEqual(live.flaws, [`${first}: its workload is not there`]);
  assert.deepEqual(live.memory, memory);
});

test('without metrics the HPA reads the metrics API; without both it does not guess', () => {
  const blind = { ...complete, metrics: null };
  const busy = scaling.decide(withWorkload({ ...someWorkload, cpuMillicores: 400 }, blind), 0, null);
  assert.equal(busy.hpaReplicas![0], 4);
  const unknown = scaling.decide(withWorkload({ ...someWorkload, cpuMillicores: null }, blind), 0, null);
  assert.equal(unknown.hpaReplicas, null);
  assert.deepEqual(unknown.flaws, [`${first}: its CPU usage is not known`]);
  const noPods = { ...someWorkload, readyPods: 0, unreadyPods: 2, startingPods: 2, cpuMillicores: null };
  assert.ok(scaling.decide(withWorkload(noPods, blind), 0, null).hpaReplicas !== null);
});

test('an answer that is none is refused', () => {
  const live = scaling.decide(complete, 0, null);
  const refused = (error: unknown): boolean => error instanceof CoxswainError && error.code === 'ENVIRONMENT_INVALID';
  assert.throws(() => live.replicasOf(new Array<number>(services.length).fill(15)), refused);
  assert.throws(() => live.replicasOf(new Array<number>(services.length).fill(0.5)), refused);
  assert.throws(() => live.replicasOf([0]), refused);
});

test('unknown parameters of the environment are refused', () => {
  assert.throws(() => scalingWith({ speed: 2 }), /unknown parameter "speed"/);
});

test('the same observation gives the same bits', () => {
  const { memory } = scaling.decide(complete, 0, null);
  const [a, b] = [
    scaling.decide(complete, 15, memory),
    scaling.decide(structuredClone(complete), 15, structuredClone(memory)),
  ];
  assert.deepEqual(a.question, b.question);
  assert.deepEqual(a.memory, b.memory);
});
