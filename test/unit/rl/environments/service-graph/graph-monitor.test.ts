import assert from 'node:assert/strict';
import test from 'node:test';
import { ClusterMonitor } from '../../../../../src/rl/environments/online-boutique/cluster-monitor.ts';
import { LatencyMixture } from '../../../../../src/rl/environments/online-boutique/latency-mixture.ts';
import { FRAME } from '../../../../../src/rl/environments/online-boutique/metrics-history.ts';
import { Simulation } from '../../../../../src/rl/environments/online-boutique/simulation.ts';
import { boutiqueGraph } from '../../../../../src/rl/environments/service-graph/boutique-graph.ts';
import { EDGE_FRAME, NODE_FRAME } from '../../../../../src/rl/environments/service-graph/call-frames.ts';
import { GraphMonitor } from '../../../../../src/rl/environments/service-graph/graph-monitor.ts';
import type { GraphService } from '../../../../../src/rl/environments/service-graph/graph-application.ts';
import { instantiate } from '../../../../../src/rl/environments/service-graph/instance.ts';

/** Users call a, a calls b twice, and b calls c for a quarter of its calls. */
const services: GraphService[] = ['a', 'b', 'c'].map((name) => ({
  ...boutiqueGraph.services[1],
  name,
  serviceSeconds: 0.02,
  serviceScv: 1,
  networkSeconds: 0.002,
}));
const instances = services.map((service, slot) =>
  instantiate(
    {
      slot,
      identity: slot + 1,
      base: service.name,
      version: 1,
      slowness: 1,
      sidecar: true,
      feature: null,
      phase: 'serving',
      share: 1,
      stepsLeft: 0,
    },
    service,
  ),
);
const application = {
  services,
  requests: [
    {
      name: 'get',
      weight: 1,
      call: {
        service: 'a',
        calls: [{ service: 'b', times: 2, calls: [{ service: 'c', share: 0.25 }] }],
      },
    },
  ],
};

function watched(delaySteps: number, timeoutSeconds = 0.1) {
  const simulation = new Simulation(application);
  const monitor = new ClusterMonitor(services, simulation, { delaySteps, rateSteps: 0, sloSeconds: 1 });
  const graph = new GraphMonitor(simulation, 3, delaySteps, timeoutSeconds);
  instances.forEach((instance) => graph.enter(instance));
  graph.reroute();
  simulation.reset([16, 16, 16]);
  const latencies = new LatencyMixture(3);
  const play = (requests: number): void => {
    latencies.clear();
    monitor.beginStep();
    simulation.advance([requests], latencies);
    monitor.endStep(latencies);
    graph.endStep(monitor.history.values, monitor.history.newest + FRAME.width);
  };
  const edge = (source: number, target: number, column: keyof typeof EDGE_FRAME): number =>
    graph.values[graph.visible + (3 * source + target) * EDGE_FRAME.width + EDGE_FRAME[column]];
  return { graph, play, edge };
}

test('rate, latency and errors of an edge, worked out by hand for services without queues', () => {
  const { graph, play, edge } = watched(0);
  for (let step = 0; step < 3; step++) play(150);
  const near = (actual: number, expected: number): void =>
    assert.ok(Math.abs(actual / expected - 1) < 0.01, `${actual}, not ${expected}`);
  near(edge(0, 1, 'callsPerSecond'), 20);
  near(edge(1, 2, 'callsPerSecond'), 5);
  assert.equal(edge(0, 2, 'callsPerSecond'), 0);
  // c: mean 0.022, variance 0.02². As a lognormal: σ² = ln(1 + (0.02/0.022)²), p95 = exp(ln 0.022 − σ²/2 + 1.645·σ).
  const lognormal = (mean: number, variance: number): { p95: number; sigma: number; mu: number } => {
    const spread = Math.log(1 + variance / mean ** 2);
    const [sigma, mu] = [Math.sqrt(spread), Math.log(mean) - spread / 2];
    return { sigma, mu, p95: Math.exp(mu + 1.6449 * sigma) };
  };
  near(edge(1, 2, 'p95Seconds'), lognormal(0.022, 0.0004).p95);
  // b with a quarter of its calls to c: mean 0.022·1.25, variance 0.0004 + ¼·(0.0004 + ¾·0.022²).
  const b = lognormal(0.0275, 0.0004 + 0.25 * (0.0004 + 0.75 * 0.022 ** 2));
  near(edge(0, 1, 'p95Seconds'), b.p95);
  const z = (Math.log(0.1) - b.mu) / b.sigma;
  assert.ok(z > 1.8 && z < 2.1, `${z}`);
  const tail = edge(0, 1, 'errorShare');
  assert.ok(tail > 0.0179 && tail < 0.0359, `P(Z > ${z}) is ${tail}`); // P(Z > 2.1), P(Z > 1.8)
  near(graph.values[graph.visible + graph.nodesAt + NODE_FRAME.width + NODE_FRAME.callsOutPerSecond], 5);
  const memory = graph.values[graph.visible + graph.nodesAt + NODE_FRAME.memoryShare];
  assert.ok(memory >= 180 / 300 && memory < 181 / 300, `${memory}`);
});

test('what is seen is as old as the delay says, and a state saved as JSON shows the same', () => {
  const { graph, play, edge } = watched(2);
  const rates = [150, 300, 600, 900].map((requests) => {
    play(requests);
    return Math.round(edge(0, 1, 'callsPerSecond'));
  });
  assert.deepEqual(rates, [0, 0, 20, 40]);
  const copy = watched(2);
  copy.graph.loadState(JSON.parse(JSON.stringify(graph.saveState())));
  assert.deepEqual(copy.graph.values, graph.values);
  assert.equal(copy.graph.visible, graph.visible);
});

test('a slot that is forgotten takes its edges with it', () => {
  const { graph, play, edge } = watched(0);
  play(150);
  graph.forget(2);
  assert.equal(edge(1, 2, 'callsPerSecond'), 0);
  assert.ok(edge(0, 1, 'callsPerSecond') > 0);
});
