import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricsSnapshot } from '../../../../src/contracts/cluster-metrics.ts';
import type { ControlObservation, ObservedWorkload, SlotMemory } from '../../../../src/contracts/control.ts';
import { CoxswainError } from '../../../../src/contracts/errors.ts';
import { CHOICES } from '../../../../src/rl/environments/online-boutique/replica-actions.ts';
import { boutiqueGraph } from '../../../../src/rl/environments/service-graph/boutique-graph.ts';
import { NODE } from '../../../../src/rl/environments/service-graph/description.ts';
import { everyService } from '../../../../src/rl/environments/service-graph/graph-application.ts';
import type { GraphApplication } from '../../../../src/rl/environments/service-graph/graph-application.ts';
import { createServiceGraph } from '../../../../src/rl/environments/service-graph/service-graph.ts';
import type { ServiceGraph } from '../../../../src/rl/environments/service-graph/service-graph.ts';
import { graphParts } from '../../../../src/rl/graph-layout.ts';
import { createLiveScaling } from '../../../../src/rl/live/live-scaling.ts';
import type { LiveMemory } from '../../../../src/rl/live/live-scaling.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { isSettledSlot, perfectGraphObservation } from './perfect-graph-observation.ts';
import { someFigures, someWorkload } from './service-figures.ts';

/** Live, a new version of a service is no service of the policy; here none is tried. */
const graph: GraphApplication = {
  ...boutiqueGraph,
  services: boutiqueGraph.services.map((service) => ({ ...service, canaries: false })),
};
const services = everyService(graph);
/** With it no service comes back in the very step in which it goes: live, that would be the same one all the time. */
const seed = 22;
const parameters = { changesPerHour: 60, podQuota: 70, maxChange: 3, episodeSteps: 300 };
const scalingWith = (given: Readonly<Record<string, unknown>> = parameters, name = 'service-graph') =>
  createLiveScaling({ environment: { name, parameters: given }, application: graph, hpaTargetPercent: 50 });

/** Who is in the simulation's slots. */
function occupantsOf({ instances, view }: ServiceGraph): SlotMemory['occupants'] {
  return Array.from(view.services, (_, slot) => {
    const found = instances.find((instance) => instance.slot === slot);
    if (found === undefined) return null;
    const service = services.findIndex(({ name }) => name === found.base);
    return { service, identity: found.identity, measured: true };
  });
}

const nextIdentityOf = (environment: ServiceGraph): number =>
  (environment.saveState() as { lifecycle: { nextIdentity: number } }).lifecycle.nextIdentity;

function randomAction(mask: Uint8Array, slots: number, generator: Generator): Int32Array {
  return Int32Array.from({ length: slots }, (_, slot) => {
    const allowed = Array.from({ length: CHOICES }, (__, choice) => choice).filter(
      (c) => mask[slot * CHOICES + c] === 1,
    );
    return generator.uniform() < 0.1 ? allowed[generator.integer(allowed.length)] : 0;
  });
}

test('a live graph looks to an agent as its simulation does, while services come and go', () => {
  const environment = createServiceGraph({ ...parameters, application: graph });
  const offset = 3_000;
  let { observation: shown, actionMask: shownMask } = environment.resetAt(offset, seed);
  const scaling = scalingWith();
  const layout = environment.description.graph!;
  const parts = graphParts(layout);
  const generator = new Generator(2);
  let memory: LiveMemory = {
    hpa: null,
    slots: { occupants: occupantsOf(environment), nextIdentity: nextIdentityOf(environment) },
  };
  const seen = { came: 0, left: 0, unsettled: 0, full: 0 };
  let stepsSinceLeft = Infinity;
  for (let k = 0; k < parameters.episodeSteps; k++) {
    const live = scaling.decide(perfectGraphObservation(environment, services), (offset + k) * 15, memory);
    assert.deepEqual([live.flaws, live.notes], [[], []], `step ${k}`);
    const { occupants } = live.memory.slots!;
    assert.deepEqual(occupants, occupantsOf(environment), `slots at step ${k}`);
    assert.equal(live.memory.slots!.nextIdentity, nextIdentityOf(environment));
    const draining = new Set(environment.instances.filter(({ phase }) => phase === 'draining').map(({ slot }) => slot));
    live.question!.observation.forEach((value, i) => {
      const slot = Math.floor(i / layout.nodeFeatures);
      const column = i < parts.identities ? i % layout.nodeFeatures : -1;
      // Metrics are a step old here: live, the CPU of a pod is that of the pods that are there now.
      if (column === NODE.cpu && !isSettledSlot(environment, slot)) seen.unsettled++;
      // The share of the limit is multiplied by the limit and divided again.
      else if (column === NODE.memory) assert.ok(Math.abs(value - shown[i]) < 1e-7, `memory of ${slot} at step ${k}`);
      // The simulation forgets the edge to a service that left, but not at once what its callers sent in all.
      else if (column === NODE.trafficOut && stepsSinceLeft <= 1) assert.ok(value <= shown[i]);
      else assert.equal(value, shown[i], `element ${i} at step ${k}`);
    });
    // Live, nobody knows yet that a service is about to go.
    live.question!.mask.forEach((bit, i) => {
      if (!draining.has(Math.floor(i / CHOICES))) assert.equal(bit, shownMask![i], `mask bit ${i} at step ${k}`);
    });
    const action = randomAction(shownMask!, layout.nodes, generator);
    const meant = live.replicasOf(action);
    const before = [...environment.instances];
    ({ observation: shown, actionMask: shownMask } = environment.step(action));
    for (const { slot, identity, base } of environment.instances) {
      if (!before.some((one) => one.identity === identity)) continue;
      const service = services.findIndex(({ name }) => name === base);
      assert.equal(meant[service], environment.view.desiredReplicas[slot], `replicas of ${base} at step ${k}`);
    }
    services.forEach(({ name }, s) => {
      const wasThere = before.some(({ base }) => base === name);
      assert.equal(meant[s] !== null, wasThere);
    });
    const came = environment.instances.filter(({ identity }) => !before.some((one) => one.identity === identity));
    const left = before.filter(({ identity }) => !environment.instances.some((one) => one.identity === identity));
    seen.came += came.length;
    seen.left += left.length;
    stepsSinceLeft = left.length > 0 ? 0 : stepsSinceLeft + 1;
    const pods = environment.view.desiredReplicas.reduce((sum, replicas) => sum + replicas, 0);
    if (pods >= parameters.podQuota) seen.full++;
    memory = JSON.parse(JSON.stringify(live.memory)) as LiveMemory;
  }
  assert.ok(seen.came > 20 && seen.left > 20, JSON.stringify(seen));
  assert.ok(seen.unsettled > 0 && seen.unsettled < 1000, JSON.stringify(seen));
  assert.ok(seen.full > 10, 'the quota held something back');
});

// A cluster by hand.

const always = graph.services.length;
const workload: ObservedWorkload = { ...someWorkload, stoppingPods: 0, memoryLimitBytes: 128 * 2 ** 20 };
const placeOf = (name: string): number => services.findIndex((service) => service.name === name);

/** A cluster with these services beside those that are always there; `changes` by service. */
function clusterWith(
  features: readonly string[],
  changes: { without?: readonly string[]; unmeasured?: readonly string[]; metrics?: Partial<MetricsSnapshot> } = {},
): ControlObservation {
  const { without = [], unmeasured = [], metrics = {} } = changes;
  const isThere = (name: string, s: number): boolean =>
    (s < always || features.includes(name)) && !without.includes(name);
  const isKnown = (name: string, s: number): boolean => isThere(name, s) && !unmeasured.includes(name);
  return {
    workloads: services.map(({ name }, s) => {
      if (!isThere(name, s)) return null;
      return unmeasured.includes(name)
        ? { ...workload, readyPods: 0, unreadyPods: 2, startingPods: 2, cpuMillicores: null }
        : workload;
    }),
    metrics: {
      endSeconds: 0,
      stepSeconds: 15,
      requestsPerSecond: [10],
      p95Seconds: 0.2,
      violationShare: 0,
      services: services.map(({ name }, s) =>
        isKnown(name, s) ? someFigures : { ...someFigures, cpuMillicores: null, callsPerSecond: null },
      ),
      graph: {
        edges: [
          {
            ...{ source: placeOf('frontend'), target: placeOf('wishlistservice'), callsPerSecond: 3, p95Seconds: 0.04 },
            ...{ errorRate: 0, mutualTlsShare: null },
          },
        ],
        podMemoryBytes: services.map(({ name }, s) => (isKnown(name, s) ? 64 * 2 ** 20 : null)),
      },
      missing: [],
      ...metrics,
    },
  };
}

const scaling = scalingWith({});
const slotOf = ({ slots }: LiveMemory, name: string): number =>
  slots!.occupants.findIndex((occupant) => occupant?.service === placeOf(name));

test('features that are not there stop nobody, and have neither slot nor proposal', () => {
  const { question, flaws, hpaReplicas, memory, replicasOf } = scaling.decide(
    clusterWith(['wishlistservice']),
    0,
    null,
  );
  assert.deepEqual(flaws, []);
  assert.ok(question !== null);
  const replicas = replicasOf(new Int32Array(20));
  services.forEach(({ name }, s) => {
    const isThere = s < always || name === 'wishlistservice';
    assert.deepEqual([replicas[s] !== null, hpaReplicas![s] !== null], [isThere, isThere], name);
    assert.equal(slotOf(memory, name) >= 0, isThere, name);
  });
});

test('a service that leaves and comes back is somebody new, in the lowest free slot, also for the HPA', () => {
  const first = scaling.decide(clusterWith(['wishlistservice', 'fraudservice']), 0, null);
  const slot = slotOf(first.memory, 'wishlistservice');
  const gone = scaling.decide(clusterWith(['fraudservice']), 15, first.memory);
  assert.equal(gone.memory.slots!.occupants[slot], null);
  assert.equal(gone.memory.hpa[placeOf('wishlistservice')], null);
  assert.equal(gone.hpaReplicas![placeOf('wishlistservice')], null);
  const stored = JSON.parse(JSON.stringify(gone.memory)) as LiveMemory;
  const back = scaling.decide(clusterWith(['wishlistservice', 'fraudservice']), 30, stored);
  const [before, after] = [first, back].map(({ memory }) => memory.slots!.occupants[slot]!);
  assert.deepEqual([after.service, after.identity], [before.service, first.memory.slots!.nextIdentity]);
  assert.equal(back.memory.hpa[placeOf('wishlistservice')]!.recommendations[0].atSeconds, 30);
});

test('a newcomer is seen, but left as it is until its metrics are there; from then on one that is missing is a flaw', () => {
  const starting = clusterWith(['wishlistservice'], { unmeasured: ['wishlistservice'] });
  const first = scaling.decide(starting, 0, null);
  assert.deepEqual(first.flaws, []);
  assert.deepEqual(first.notes, [
    'wishlistservice: its metrics are not complete yet; the policy leaves it as it is until they are',
  ]);
  const slot = slotOf(first.memory, 'wishlistservice');
  const choices = (mask: Uint8Array): number =>
    mask.subarray(slot * CHOICES, (slot + 1) * CHOICES).reduce((sum, bit) => sum + bit, 0);
  assert.equal(choices(first.question!.mask), 1);
  const second = scaling.decide(clusterWith(['wishlistservice']), 15, first.memory);
  assert.deepEqual(second.notes, []);
  assert.ok(choices(second.question!.mask) > 1);
  const third = scaling.decide(starting, 30, second.memory);
  assert.equal(third.question, null);
  assert.deepEqual(third.flaws, [
    'wishlistservice: its CPU usage is not in the metrics',
    'wishlistservice: its calls are not known',
    'wishlistservice: its memory is not known',
  ]);
  assert.ok(third.hpaReplicas !== null);
});

test('a service that must be there stops policy and HPA', () => {
  const { question, flaws, hpaReplicas } = scaling.decide(clusterWith([], { without: ['cartservice'] }), 0, null);
  assert.deepEqual([question, hpaReplicas], [null, null]);
  assert.deepEqual(flaws, ['cartservice: its workload is not there']);
});

test('without CPU of a feature the HPA leaves it alone, and without metrics the policy is not asked', () => {
  const observation = clusterWith(['wishlistservice'], { unmeasured: ['wishlistservice'] });
  const workloads = observation.workloads.map((one) => one && { ...one, readyPods: 2 });
  const { hpaReplicas } = scaling.decide({ ...observation, workloads }, 0, null);
  assert.equal(hpaReplicas![placeOf('wishlistservice')], null);
  assert.ok(hpaReplicas!.slice(0, always).every((replicas) => replicas !== null));
  const blind = scaling.decide({ ...clusterWith([]), metrics: null }, 0, null);
  assert.deepEqual([blind.question, blind.flaws], [null, ['the metrics are not there']]);
  assert.ok(blind.hpaReplicas !== null);
});

test('metrics without calls, and calls without their time, are flaws', () => {
  const { metrics } = clusterWith([]);
  const { graph: _graph, ...plain } = metrics!;
  const without = scaling.decide({ ...clusterWith([]), metrics: plain }, 0, null);
  assert.deepEqual(without.flaws, ['the calls between the services are not in the metrics']);
  const cluster = clusterWith(['wishlistservice']);
  const edges = cluster.metrics!.graph!.edges.map((edge) => ({ ...edge, p95Seconds: null }));
  const silent = { ...cluster, metrics: { ...cluster.metrics!, graph: { ...cluster.metrics!.graph!, edges } } };
  assert.deepEqual(scaling.decide(silent, 0, null).flaws, [
    'the time of calls from frontend to wishlistservice is not known',
  ]);
});

test('more services than slots: who came last waits for a free one, and says so', () => {
  const everybody = services.slice(always).map(({ name }) => name);
  const full = scaling.decide(clusterWith(everybody), 0, null);
  assert.equal(services.length, 21);
  assert.deepEqual(full.notes, ['giftwrapservice: all 20 slots are taken; the policy leaves it as it is']);
  assert.equal(full.replicasOf(new Int32Array(20))[placeOf('giftwrapservice')], null);
  const later = scaling.decide(clusterWith(everybody.filter((name) => name !== 'searchservice')), 15, full.memory);
  assert.equal(slotOf(later.memory, 'giftwrapservice'), slotOf(full.memory, 'searchservice'));
});

test('calls are under mutual TLS between services with sidecars, where nobody tells', () => {
  const { memory, question } = scaling.decide(clusterWith(['wishlistservice']), 0, null);
  const parts = graphParts({ nodes: 20, nodeFeatures: 6, edges: 400, edgeFeatures: 7, globalFeatures: 4 });
  const row = slotOf(memory, 'frontend') * 20 + slotOf(memory, 'wishlistservice');
  const at = parts.edges + 7 * row;
  assert.deepEqual([question!.observation[at + 2], question!.observation[at + 6]], [1, 1]);
});

test('slots that do not hold what is always there, and unknown parameters, are refused', () => {
  const refused = (sentence: RegExp) => (error: unknown) =>
    error instanceof CoxswainError && error.code === 'ENVIRONMENT_INVALID' && sentence.test(error.message);
  assert.throws(() => scalingWith({ speed: 2 }), refused(/unknown parameter "speed"/));
  const twelve = { ...graph, services: [...graph.services, services[always]], features: [] };
  const options = { environment: { name: 'service-graph', parameters: { nodes: 11 } }, hpaTargetPercent: 50 };
  assert.throws(
    () => createLiveScaling({ ...options, application: twelve }),
    refused(/12 services are always there, but there are only 11 nodes/),
  );
});

test('a twin’s graph has slots and quota for all of its services where the spec gives none', () => {
  const small: GraphApplication = { ...graph, features: graph.features.slice(0, 2) };
  const environment = { name: 'twin-graph', parameters: {} };
  const twin = createLiveScaling({ environment, application: small, hpaTargetPercent: 50 });
  const everybody = everyService(small).map(({ name }) => name);
  const { workloads, metrics } = clusterWith(everybody);
  const { length } = everybody;
  const { memory, notes } = twin.decide({ workloads: workloads.slice(0, length), metrics }, 0, null);
  assert.deepEqual([memory.slots!.occupants.length, notes], [length, []]);
});

test('an answer that is none is refused', () => {
  const { replicasOf } = scaling.decide(clusterWith([]), 0, null);
  assert.throws(() => replicasOf(new Array<number>(20).fill(15)), { code: 'ENVIRONMENT_INVALID' });
  assert.throws(() => replicasOf([0]), { code: 'ENVIRONMENT_INVALID' });
});
