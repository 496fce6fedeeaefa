import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application } from '../../../../../src/rl/environments/online-boutique/application.ts';
import { LatencyMixture } from '../../../../../src/rl/environments/online-boutique/latency-mixture.ts';
import { onlineBoutiqueApplication } from '../../../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { Simulation, STEP_SECONDS } from '../../../../../src/rl/environments/online-boutique/simulation.ts';
import { Generator } from '../../../../../src/rl/random.ts';

const services = onlineBoutiqueApplication.services;
const latencies = new LatencyMixture(18);

/** One service "web" of one server per pod and 0.1 s a call; a request is `calls` calls. */
function single(calls: number, changes: Partial<Application['services'][number]> = {}): Application {
  const web = { ...services[0], name: 'web', serversPerPod: 1, serviceSeconds: 0.1, serviceScv: 1, networkSeconds: 0 };
  return {
    services: [{ ...web, startupSeconds: 20, terminationSeconds: 10, maxReplicas: 50, ...changes }],
    requests: [{ name: 'get', weight: 1, call: { service: 'web', times: calls } }],
  };
}

function play(simulation: Simulation, arrivals: ArrayLike<number>): void {
  latencies.clear();
  simulation.advance(arrivals, latencies);
}

test('what arrives is completed or in the system, exactly, per service and end to end, under random load and scaling', () => {
  const generator = new Generator(1);
  const simulation = new Simulation(onlineBoutiqueApplication);
  simulation.reset(simulation.replicasFor(100, 0.6));
  const arrived = new Float64Array(services.length);
  const completed = new Float64Array(services.length);
  const inSystem = new Float64Array(services.length);
  let requests = 0;
  let done = 0;
  for (let step = 0; step < 300; step++) {
    services.forEach((_, s) => simulation.fleet.scale(s, simulation.fleet.desired[s] + generator.integer(10) - 5));
    const arrivals = Float64Array.from({ length: 6 }, () => generator.poisson(300));
    play(simulation, arrivals);
    requests += arrivals.reduce((a, b) => a + b, 0);
    done += simulation.completedRequests;
    simulation.flow.countCalls(inSystem);
    services.forEach(({ name }, s) => {
      arrived[s] += simulation.arrivedCalls[s];
      completed[s] += simulation.completedCalls[s];
      assert.equal(arrived[s], completed[s] + inSystem[s], `${name} in step ${step}`);
    });
    assert.equal(requests, done + simulation.flow.requestsInSystem(), `requests in step ${step}`);
  }
  assert.ok(simulation.flow.requestsInSystem() > 1000, 'the scaling was to leave a backlog behind');
});

test('no service completes more calls than its servers can', () => {
  const simulation = new Simulation(onlineBoutiqueApplication);
  simulation.reset(simulation.replicasFor(100, 0.9));
  for (let step = 0; step < 40; step++) {
    play(simulation, [900, 600, 3900, 900, 1800, 300]);
    services.forEach(({ name, serversPerPod, serviceSeconds }, s) => {
      const capacity = (simulation.fleet.ready[s] * serversPerPod * STEP_SECONDS) / serviceSeconds;
      assert.ok(
        simulation.completedCalls[s] <= capacity * 1.005,
        `${name}: ${simulation.completedCalls[s]} of ${capacity}`,
      );
    });
  }
});

test('a saturated service works at full capacity from the first step on', () => {
  const simulation = new Simulation(single(10));
  simulation.reset([20]);
  play(simulation, [200]);
  for (let step = 0; step < 5; step++) {
    // 600 requests · 10 calls against 20 servers · 150 calls.
    play(simulation, [600]);
    assert.ok(Math.abs(simulation.completedCalls[0] - 3000) < 30, `${simulation.completedCalls[0]} in step ${step}`);
  }
});

test('a backlog carries over and is worked off when the load is gone', () => {
  const simulation = new Simulation(single(1));
  simulation.reset([1]);
  play(simulation, [450]); // 150 of 450 can be served
  assert.ok(Math.abs(simulation.flow.requestsInSystem() - 300) < 2);
  play(simulation, [0]);
  assert.ok(Math.abs(simulation.flow.requestsInSystem() - 150) < 2);
  play(simulation, [0]);
  play(simulation, [0]);
  assert.ok(simulation.flow.requestsInSystem() < 0.1);
});

test('a service behind a saturated one gets only what comes through', () => {
  const application = single(1);
  const web = application.services[0];
  const chain: Application = {
    services: [web, { ...web, name: 'behind' }],
    requests: [{ name: 'get', weight: 1, call: { service: 'web', calls: [{ service: 'behind' }] } }],
  };
  const simulation = new Simulation(chain);
  simulation.reset([1, 4]);
  for (let step = 0; step < 4; step++) play(simulation, [450]);
  assert.ok(Math.abs(simulation.arrivedCalls[1] - 150) < 2, `${simulation.arrivedCalls[1]} calls behind`);
});

test('new pods serve only after their start-up delay', () => {
  const simulation = new Simulation(single(1));
  simulation.reset([1]);
  simulation.fleet.scale(0, 3);
  play(simulation, [900]);
  assert.ok(Math.abs(simulation.completedCalls[0] - 150) < 2, 'during the first 15 of 20 s one pod serves');
  play(simulation, [900]);
  // 5 s with one pod and 10 s with three: 50 + 300.
  assert.ok(Math.abs(simulation.completedCalls[0] - 350) < 4, `${simulation.completedCalls[0]} calls`);
});

test('stopping pods finish their calls, take no new ones, and hold their resources for their time', () => {
  const simulation = new Simulation(single(1));
  simulation.reset([10]);
  for (let step = 0; step < 3; step++) play(simulation, [1800]); // a backlog: all ten servers are busy
  simulation.fleet.scale(0, 1);
  play(simulation, [0]);
  // Nine calls are finished by the stopping pods, 150 by the one that stays.
  assert.ok(Math.abs(simulation.completedCalls[0] - 159) < 1, `${simulation.completedCalls[0]} calls`);
  assert.equal(simulation.podSeconds, 15 + 9 * 10);
  play(simulation, [0]);
  assert.equal(simulation.podSeconds, 15);
});

test('latency without queues is the sum of network and service times along the calls', () => {
  const simulation = new Simulation(single(3, { networkSeconds: 0.02, serviceScv: 0.5 }));
  simulation.reset([50]);
  play(simulation, [10]);
  // Three calls of 0.12 s; standard deviation 0.1 · √(0.5 · 3) = 0.122: mean and spread of one lognormal distribution.
  const expected = new LatencyMixture(1);
  expected.add(10, 0.36, 0.015);
  assert.ok(Math.abs(latencies.quantile(0.95) / expected.quantile(0.95) - 1) < 1e-3);
});

test('a saved state goes on bit for bit', () => {
  const simulation = new Simulation(onlineBoutiqueApplication);
  simulation.reset(simulation.replicasFor(150, 0.8));
  for (let step = 0; step < 5; step++) play(simulation, [300, 200, 1400, 300, 600, 100]);
  simulation.fleet.scale(0, 12);
  play(simulation, [300, 200, 1300, 300, 600, 100]);
  const copy = new Simulation(onlineBoutiqueApplication);
  copy.reset(simulation.replicasFor(10, 0.5));
  copy.loadState(JSON.parse(JSON.stringify(simulation.saveState())));
  for (let step = 0; step < 5; step++) {
    play(simulation, [250, 300, 1500, 200, 700, 90]);
    play(copy, [250, 300, 1500, 200, 700, 90]);
    assert.deepEqual(copy.saveState(), simulation.saveState());
    assert.equal(copy.completedRequests, simulation.completedRequests);
    assert.equal(copy.podSeconds, simulation.podSeconds);
  }
});

test('a share of the calls reaches a service and the rest passes it by; none is lost', () => {
  const { services } = single(1);
  const simulation = new Simulation({
    services: [services[0], { ...services[0], name: 'inner' }],
    requests: [{ name: 'get', weight: 1, call: { service: 'web', share: 0.75, calls: [{ service: 'inner' }] } }],
  });
  simulation.reset([20, 20]);
  play(simulation, [1000]);
  const [web, inner] = simulation.arrivedCalls;
  assert.ok(Math.abs(web - 750) < 1e-5, `${web} calls`);
  assert.ok(inner > 700 && inner <= 750, `${inner} calls were made from the 750`);
  assert.equal(1000, simulation.completedRequests + simulation.flow.requestsInSystem());
});

test('requests keep their place when the calls around them change, and go on when their call is gone', () => {
  const { services } = single(1);
  const names = ['web', 'old', 'next'];
  const application = (calls: readonly string[]): Application => ({
    services: names.map((name) => ({ ...services[0], name })),
    requests: [{ name: 'get', weight: 1, call: { service: 'web', calls: calls.map((service) => ({ service })) } }],
  });
  const simulation = new Simulation(application(['old', 'next']));
  simulation.reset([50, 1, 1]);
  for (let step = 0; step < 4; step++) play(simulation, [600]);
  const calls = new Float64Array(3);
  simulation.flow.countCalls(calls);
  const [web, old, next] = calls;
  assert.ok(old > 1000, `${old} calls were to pile up`);
  assert.equal(simulation.reroute(application(['next'])), old);
  simulation.flow.countCalls(calls);
  assert.deepEqual([...calls], [web, 0, old + next]);
  assert.equal(simulation.reroute(application([])), old + next);
  assert.equal(simulation.flow.requestsInSystem(), web);
});

test('a service that takes the place of another begins without pods and without a queue', () => {
  const slow = { ...services[0], name: 'slow', startupSeconds: 10, minReplicas: 2, maxReplicas: 3 };
  const simulation = new Simulation(single(1));
  simulation.reset([1]);
  play(simulation, [600]);
  simulation.replaceService(0, slow);
  assert.deepEqual([simulation.fleet.desired[0], simulation.fleet.existing[0], simulation.waitSeconds[0]], [0, 0, 0]);
  simulation.fleet.scale(0, 9);
  assert.deepEqual([simulation.fleet.desired[0], simulation.fleet.ready[0]], [3, 0]);
  simulation.fleet.elapse();
  simulation.fleet.elapse();
  assert.equal(simulation.fleet.ready[0], 3);
});

test('played sub-step by sub-step, a control step leaves the same requests and latencies as played at once', () => {
  const whole = new Simulation(onlineBoutiqueApplication);
  const parts = new Simulation(onlineBoutiqueApplication, undefined, 1);
  const [together, apart] = [new LatencyMixture(18), new LatencyMixture(18)];
  for (const simulation of [whole, parts]) simulation.reset(simulation.replicasFor(100, 0.9));
  for (let step = 0; step < 40; step++) {
    const arrivals = [300, 300, 600, 300, 300, 300].map((count) => count + 3 * (step % 10));
    together.clear();
    apart.clear();
    whole.advance(arrivals, together);
    let completed = 0;
    for (let part = 0; part < 3; part++) {
      const each = new LatencyMixture(6);
      parts.advance(
        arrivals.map((count) => count / 3),
        each,
      );
      completed += parts.completedRequests;
      apart.append(each);
    }
    assert.equal(completed, whole.completedRequests);
    assert.ok(Math.abs(apart.quantile(0.95) / together.quantile(0.95) - 1) < 0.01);
  }
  assert.deepEqual(parts.saveState(), whole.saveState());
});

test('the pods of a real cluster replace those of the fleet, and those that go finish their calls', () => {
  const simulation = new Simulation(single(1, { maxReplicas: 50 }));
  simulation.reset([4]);
  simulation.fleet.observe(0, 2);
  assert.deepEqual(
    [simulation.fleet.ready[0], simulation.fleet.existing[0], simulation.fleet.stoppedNow[0]],
    [2, 2, 2],
  );
  play(simulation, [60]);
  assert.deepEqual([simulation.fleet.ready[0], simulation.fleet.stoppedNow[0]], [2, 0]);
  simulation.fleet.observe(0, 7);
  play(simulation, [60]);
  assert.equal(simulation.readySeconds[0], 7 * STEP_SECONDS);
});

test('calls at a service that is given up are counted, and nothing else is lost', () => {
  const simulation = new Simulation(single(1));
  simulation.reset([1]);
  for (let step = 0; step < 4; step++) play(simulation, [600]);
  const waiting = simulation.flow.requestsInSystem();
  assert.ok(waiting > 1000);
  assert.deepEqual([simulation.flow.drop(0), simulation.flow.requestsInSystem()], [waiting, 0]);
});
