import assert from 'node:assert/strict';
import test from 'node:test';
import { createHpa } from '../../../../../src/rl/baselines/hpa.ts';
import { graphParts } from '../../../../../src/rl/graph-layout.ts';
import { Generator } from '../../../../../src/rl/random.ts';
import { createOnlineBoutique } from '../../../../../src/rl/environments/online-boutique/online-boutique.ts';
import { choiceOf } from '../../../../../src/rl/environments/online-boutique/replica-actions.ts';
import { EDGE, NODE } from '../../../../../src/rl/environments/service-graph/description.ts';
import type { ServiceGraphParameters } from '../../../../../src/rl/environments/service-graph/options.ts';
import { createServiceGraph } from '../../../../../src/rl/environments/service-graph/service-graph.ts';
import type { ServiceGraph } from '../../../../../src/rl/environments/service-graph/service-graph.ts';

const trace = Float64Array.from({ length: 600 }, (_, bin) => 15 * (150 + 50 * Math.sin(bin / 60)));
const nothing = new Int32Array(20);

const graph = (parameters: ServiceGraphParameters = {}): ServiceGraph =>
  createServiceGraph({ trace, episodeSteps: 240, ...parameters });

interface SeenEdge {
  readonly source: number;
  readonly target: number;
  readonly callsPerSecond: number;
  readonly mtls: number;
}

function edgesOf({ description }: ServiceGraph, observation: Float32Array): SeenEdge[] {
  const { edges } = graphParts(description.graph!);
  const rows = Array.from({ length: description.graph!.edges }, (_, row) => edges + row * EDGE.width);
  return rows
    .filter((at) => observation[at + EDGE.active] === 1)
    .map((at) => ({
      source: observation[at + EDGE.source],
      target: observation[at + EDGE.target],
      callsPerSecond: Math.expm1(8 * observation[at + EDGE.rate]),
      mtls: observation[at + EDGE.mtls],
    }));
}

const slotOf = (environment: ServiceGraph, name: string): number =>
  environment.instances.find(({ service }) => service.name === name)?.slot ?? NaN;

/** Plays until `condition` holds after a step, at most a whole episode. */
function playUntil(environment: ServiceGraph, condition: () => boolean): Float32Array {
  for (let step = 0; step < 240; step++) {
    const { observation } = environment.step(nothing);
    if (condition()) return observation;
  }
  throw new Error('the episode ended first');
}

test('the parts of the layout and the rows of the tables describe every element once, with its bounds', () => {
  const { description } = graph();
  const { graph: layout, observationSpace, observationTable, actionSpace, actionMaskSize } = description;
  assert.deepEqual(layout, { nodes: 20, nodeFeatures: 6, edges: 400, edgeFeatures: 7, globalFeatures: 4 });
  assert.deepEqual(observationSpace.shape, [20 * 6 + 20 + 400 * 7 + 4]);
  assert.equal(actionMaskSize, 300);
  assert.equal(actionSpace.kind === 'multi-discrete' && actionSpace.choices.length, 20);
  const rows = new Array<string>(2944);
  const [low, high] = [observationSpace.low as number[], observationSpace.high as number[]];
  for (const row of observationTable) {
    const [, first, last = first, every = '1'] = /^(\d+)(?:–(\d+)(?:, every (\d+)th)?)?$/.exec(row.index)!;
    for (let index = Number(first); index <= Number(last); index += Number(every)) {
      assert.equal(rows[index], undefined, `element ${index}`);
      rows[index] = row.name;
      assert.deepEqual([low[index], high[index]], [row.low, row.high], `bounds of element ${index}`);
    }
  }
  assert.equal(rows.filter(Boolean).length, 2944);
});

test('eleven nodes give the view of 11 heads and 165 mask bits, and nothing ever comes or goes', () => {
  const environment = graph({ nodes: 11, changesPerHour: 240 });
  assert.equal(environment.description.actionMaskSize, 165);
  environment.reset(1);
  for (let step = 0; step < 100; step++) environment.step(nothing);
  assert.deepEqual(
    environment.instances.map(({ slot, identity, phase }) => [slot, identity, phase]),
    Array.from({ length: 11 }, (_, slot) => [slot, slot + 1, 'serving']),
  );
});

test('eleven services behave as those of online-boutique', () => {
  const eleven = graph({ nodes: 11, episodeSteps: 100 });
  const boutique = createOnlineBoutique({ trace, episodeSteps: 100 });
  eleven.resetAt(50, 1);
  boutique.resetAt(50, 1);
  const still = new Int32Array(11);
  const means = [eleven, boutique].map((environment) => {
    const [sum, steps] = [{ reward: 0, p95: 0, violations: 0, pods: 0 }, 100];
    for (let step = 0; step < steps; step++) {
      const { reward, measures } = environment.step(still);
      sum.reward += reward / steps;
      sum.p95 += measures.p95LatencySeconds / steps;
      sum.violations += measures.sloViolationRate / steps;
      sum.pods += measures.podSeconds / 15 / steps;
    }
    return sum;
  });
  // Only the drawn arrivals differ.
  const near = (name: keyof (typeof means)[0], tolerance: number): void =>
    assert.ok(
      Math.abs(means[0][name] / means[1][name] - 1) <= tolerance,
      `${name}: ${means[0][name]}, ${means[1][name]}`,
    );
  near('pods', 0);
  near('p95', 0.05);
  near('violations', 0.15);
  near('reward', 0.05);
});

test('an identity keeps its slot and its service, and a slot is reused only under a new identity', () => {
  const owners = new Map<number, string>();
  const residents = new Map<number, number>();
  let [reused, returned] = [0, 0];
  const environment = graph({ changesPerHour: 120 });
  const { identities } = graphParts(environment.description.graph!);
  environment.reset(3);
  for (let step = 0; step < 240; step++) {
    const { observation } = environment.step(nothing);
    const seen = new Map(environment.instances.map((each) => [each.slot, each]));
    for (let slot = 0; slot < 20; slot++) {
      const identity = observation[identities + slot];
      assert.equal(identity, seen.get(slot)?.identity ?? 0);
      if (identity === 0) continue;
      const owner = `${slot} ${seen.get(slot)!.service.name}`;
      if (!owners.has(identity)) {
        assert.ok(identity > Math.max(0, ...owners.keys()) || step === 0, 'identities are never used again');
        const before = residents.get(slot);
        if (before !== undefined) reused++;
        if ([...owners.values()].some((other) => other.split(' ')[1] === owner.split(' ')[1])) returned++;
      }
      assert.equal(owners.get(identity) ?? owner, owner);
      owners.set(identity, owner);
      residents.set(slot, identity);
    }
  }
  assert.ok(reused >= 3, `${reused} slots were reused`);
  assert.ok(returned >= 1, `${returned} services came back`);
});

test('an empty slot shows nothing and allows nothing but no change; so does one that drains', () => {
  const environment = graph({ changesPerHour: 120 });
  environment.reset(5);
  let [empty, draining] = [0, 0];
  for (let step = 0; step < 240; step++) {
    const { observation, actionMask } = environment.step(nothing);
    const phases = new Map(environment.instances.map(({ slot, phase }) => [slot, phase]));
    for (let slot = 0; slot < 20; slot++) {
      const phase = phases.get(slot);
      const allowed = actionMask!.subarray(slot * 15, slot * 15 + 15).reduce((sum, bit) => sum + bit, 0);
      if (phase === 'serving' || phase === 'starting') assert.ok(allowed > 1);
      else assert.equal(allowed, 1);
      if (phase === 'draining') draining++;
      if (phase !== undefined) continue;
      empty++;
      const features = observation.subarray(slot * NODE.width, (slot + 1) * NODE.width);
      assert.ok(features.every((value) => value === 0));
    }
  }
  assert.ok(empty > 0 && draining > 0);
});

test('what comes and goes, and when, follows from the seed and not from the actions', () => {
  const history = (change: number, seed: number): string[] => {
    const environment = graph({ changesPerHour: 60 });
    environment.reset(seed);
    const action = new Int32Array(20).fill(choiceOf(change));
    return Array.from({ length: 200 }, () => {
      environment.step(action);
      return environment.instances
        .map(({ slot, identity, phase, share }) => `${slot} ${identity} ${phase} ${share}`)
        .join();
    });
  };
  assert.deepEqual(history(1, 7), history(-1, 7));
  assert.notDeepEqual(history(0, 7), history(0, 8));
});

test('edges join services that are there, and what flows into a service is what it takes in', () => {
  const environment = graph({ metricsDelaySteps: 0, changesPerHour: 60 });
  environment.reset(2);
  for (let step = 0; step < 120; step++) {
    const { observation } = environment.step(nothing);
    const present = new Set(environment.instances.map(({ slot }) => slot));
    const into = new Float64Array(20);
    const outOf = new Float64Array(20);
    for (const { source, target, callsPerSecond } of edgesOf(environment, observation)) {
      assert.ok(present.has(source) && present.has(target), `step ${step}: edge ${source} → ${target}`);
      into[target] += callsPerSecond;
      outOf[source] += callsPerSecond;
    }
    for (const { slot } of environment.instances) {
      const trafficIn = Math.expm1(8 * observation[slot * NODE.width + NODE.trafficIn]);
      const trafficOut = Math.expm1(8 * observation[slot * NODE.width + NODE.trafficOut]);
      if (slot > 0) assert.ok(Math.abs(into[slot] - trafficIn) <= 1e-3 + 1e-4 * trafficIn, `slot ${slot} in`);
      // An edge to a service that has just left is gone, and with it a part of what its callers sent.
      assert.ok(outOf[slot] <= trafficOut + 1e-3 + 1e-4 * trafficOut, `slot ${slot} out`);
    }
  }
});

test('a version on trial gets 10, 25 and 50 % of the calls, then one of the two leaves', () => {
  const environment = graph({ metricsDelaySteps: 0, changesPerHour: 60 });
  environment.reset(4);
  // Calls that were already on their way blur the shares of the first steps of a stage.
  const trials = () => environment.instances.filter(({ stepsLeft }) => stepsLeft > 0 && stepsLeft < 18);
  const shares = new Set<number>();
  let ended = 0;
  let before = new Map<number, string>();
  for (let step = 0; step < 240; step++) {
    const { observation } = environment.step(nothing);
    const edges = edgesOf(environment, observation);
    const rateInto = (slot: number): number =>
      edges.filter(({ target }) => target === slot).reduce((sum, edge) => sum + edge.callsPerSecond, 0);
    for (const { base, share, slot } of trials()) {
      const versions = environment.instances.filter((each) => each.base === base);
      assert.equal(versions.length, 2);
      const total = versions.reduce((sum, version) => sum + rateInto(version.slot), 0);
      assert.ok(Math.abs(rateInto(slot) / total - share) < 0.02, `${base}: ${rateInto(slot) / total}, not ${share}`);
      shares.add(share);
    }
    const now = new Map(environment.instances.map(({ identity, base, feature }) => [identity, feature ?? base]));
    for (const [identity, base] of before) {
      if (!now.has(identity) && environment.instances.some((each) => each.feature === null && each.base === base))
        ended++;
    }
    before = now;
  }
  assert.deepEqual([...shares].sort(), [0.1, 0.25, 0.5]);
  assert.ok(ended >= 2, `${ended} trials ended`);
});

test('a feature that leaves gets no more calls, and is gone one step later', () => {
  const environment = graph({ metricsDelaySteps: 0, changesPerHour: 120 });
  environment.reset(6);
  const drains = (): boolean =>
    environment.instances.some(({ phase, feature }) => phase === 'draining' && feature !== null);
  playUntil(environment, drains);
  const { slot, identity } = environment.instances.find(
    ({ phase, feature }) => phase === 'draining' && feature !== null,
  )!;
  const { observation } = environment.step(nothing);
  assert.ok(edgesOf(environment, observation).every(({ source, target }) => source !== slot && target !== slot));
  assert.ok(environment.instances.every((each) => each.identity !== identity));
});

test('calls between services with sidecars are under mutual TLS, those to redis-cart are not', () => {
  const environment = graph({ changesPerHour: 0 });
  environment.reset(1);
  const edges = edgesOf(environment, environment.step(nothing).observation);
  const redis = slotOf(environment, 'redis-cart');
  assert.deepEqual([...new Set(edges.map(({ target, mtls }) => `${target === redis} ${mtls}`))].sort(), [
    'false 1',
    'true 0',
  ]);
});

test('features with hours are there between them', () => {
  const day = new Float64Array(5760).fill(15 * 100);
  const environment = createServiceGraph({ trace: day, episodeSteps: 5, changesPerHour: 1 });
  const offered = (hour: number): string[] => {
    environment.resetAt(hour * 240, 1);
    return environment.instances.flatMap(({ feature }) =>
      feature === 'deals' || feature === 'giftwrap' ? [feature] : [],
    );
  };
  assert.deepEqual([offered(3), offered(10), offered(20)], [[], ['giftwrap'], ['deals']]);
  assert.equal(createServiceGraph({ trace: day, changesPerHour: 0 }).instances.length, 11);
});

test('replicas stay within the quota: first what shrinks, then what grows, slot by slot', () => {
  const environment = graph({ changesPerHour: 0, podQuota: 40 });
  const first = environment.reset(1);
  const total = (): number => environment.view.desiredReplicas.reduce((a, b) => a + b, 0);
  const free = 40 - total();
  assert.ok(free > 7, `${free} replicas are free`);
  assert.equal(first.actionMask![7], 1);
  const desired = [...environment.view.desiredReplicas];
  const wanted = desired.map((replicas, slot) => (slot === 0 ? replicas + free : slot === 4 ? replicas + 4 : replicas));
  wanted[7]--;
  const { actionMask, measures } = environment.stepReplicas(wanted);
  assert.equal(total(), 40);
  assert.equal(environment.view.desiredReplicas[0], desired[0] + free);
  assert.equal(environment.view.desiredReplicas[4], desired[4] + 1);
  assert.equal(measures.actionsPerMinute, 3 * 4);
  for (let slot = 0; slot < 11; slot++) assert.equal(actionMask![slot * 15 + 1], 0, `slot ${slot} cannot grow`);
});

test('the reward is the price of pods, violations and actions, over all services', () => {
  const environment = graph({ violationPrice: 50, violationSaturation: 0.2, actionPrice: 3 });
  environment.reset(5);
  const action = new Int32Array(20);
  action[0] = choiceOf(-2);
  action[4] = choiceOf(-2);
  const { reward, measures } = environment.step(action);
  const mean = trace.reduce((a, b) => a + b) / trace.length;
  const charged = 0.2 * (1 - Math.exp(-measures.sloViolationRate / 0.2));
  const points = (100 * charged * measures.requestsPerSecond * 15) / mean;
  assert.ok(points > 0);
  assert.ok(Math.abs(reward + 0.02 * (measures.podSeconds / 15 + 50 * points + 3 * 2)) < 1e-12);
});

test('an HPA earns more than holding still, and that more than random changes', () => {
  const play = (decide: (environment: ServiceGraph, replicas: Int32Array) => void): number => {
    const environment = createServiceGraph({ episodeSteps: 120 });
    const replicas = new Int32Array(20);
    let sum = 0;
    for (const [seed, offset] of [3000, 9000, 15_000].entries()) {
      environment.resetAt(offset, seed);
      for (let step = 0; step < 120; step++) {
        decide(environment, replicas);
        sum += environment.stepReplicas(replicas).reward;
      }
    }
    return sum / 3;
  };
  const generator = new Generator(1);
  const hpa = createHpa({ targetPercent: 60 });
  const withHpa = play(({ view }, replicas) => hpa.decide(view, replicas));
  const still = play(({ view }, replicas) => replicas.set(view.desiredReplicas));
  const random = play(({ view }, replicas) => {
    for (let s = 0; s < 20; s++) replicas[s] = view.desiredReplicas[s] + generator.integer(15) - 7;
  });
  assert.ok(withHpa > still && still > random, `${withHpa}, ${still}, ${random}`);
});

test('without parameters it plays a generated week, from a recording it plays that', () => {
  const rates = (environment: ServiceGraph): number => {
    environment.resetAt(100, 1);
    return environment.step(nothing).measures.requestsPerSecond;
  };
  const generated = rates(createServiceGraph());
  assert.ok(generated > 20 && generated < 800, `${generated} requests/s`);
  const recorded = rates(createServiceGraph({ trace: new Float32Array(400).fill(15 * 1000) }));
  assert.ok(Math.abs(recorded - 1000) < 50, `${recorded} requests/s`);
});

test('options and traces that cannot be played are refused with what is wrong', () => {
  const refused = (parameters: object, message: RegExp): void =>
    assert.throws(() => graph(parameters), { code: 'ENVIRONMENT_INVALID', message });
  refused({ nodes: 10 }, /nodes must be a whole number from 11 to 20, not 10/);
  refused({ changesPerHour: -1 }, /changesPerHour must be a number from 0 to 240, not -1/);
  refused({ node: 12 }, /unknown parameter "node"; there are: nodes/);
  refused({ episodeSteps: 601 }, /600 bins, fewer than the 601 steps/);
  assert.throws(() => graph().resetAt(361, 1), /0 … 360, not at 361/);
});
