/**
 * The fluid model against the request-level simulation: both get the same arrivals, period by period. The tolerances are
 * those that docs/environments/online-boutique.md states.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LatencyMixture } from '../../../../../src/rl/environments/online-boutique/latency-mixture.ts';
import { onlineBoutiqueApplication } from '../../../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { Simulation, STEP_SECONDS } from '../../../../../src/rl/environments/online-boutique/simulation.ts';
import { Generator } from '../../../../../src/rl/random.ts';
import { simulateRequests } from './discrete-event-simulation.ts';
import type { Scaling } from './discrete-event-simulation.ts';

const names = onlineBoutiqueApplication.services.map((service) => service.name);
const SLO = 0.5;
const WARM_UP = 4;

interface Compared {
  readonly model: { p50: number; p95: number; violations: number; completed: number };
  readonly judge: { p50: number; p95: number; violations: number; completed: number };
}

/** Plays `rates` (requests/s for each control step) on both, after a warm-up at the first rate. */
function compare(options: {
  rates: readonly number[];
  replicas: ArrayLike<number>;
  scalings?: readonly (Scaling & { atSeconds: number })[];
  seed: number;
}): Compared[] {
  const rates = [...Array.from({ length: WARM_UP }, () => options.rates[0]), ...options.rates];
  const scalings = (options.scalings ?? []).map((scaling) => ({
    ...scaling,
    atSeconds: scaling.atSeconds + WARM_UP * STEP_SECONDS,
  }));
  const periods = simulateRequests({
    application: onlineBoutiqueApplication,
    replicas: Object.fromEntries(names.map((name, s) => [name, options.replicas[s]])),
    rates,
    periodSeconds: STEP_SECONDS,
    scalings,
    drainSeconds: 120,
    generator: new Generator(options.seed),
  });
  const simulation = new Simulation(onlineBoutiqueApplication);
  simulation.reset(options.replicas);
  const latencies = new LatencyMixture(18);
  return periods
    .map((period, index) => {
      for (const { atSeconds, service, replicas } of scalings) {
        if (atSeconds === index * STEP_SECONDS) simulation.fleet.scale(names.indexOf(service), replicas);
      }
      latencies.clear();
      simulation.advance(period.arrivals, latencies);
      const at = (share: number): number => period.latencies[Math.floor(share * period.latencies.length)];
      return {
        model: {
          p50: latencies.quantile(0.5),
          p95: latencies.quantile(0.95),
          violations: latencies.countAbove(SLO) / latencies.requests,
          completed: simulation.completedRequests,
        },
        judge: {
          p50: at(0.5),
          p95: at(0.95),
          violations: period.latencies.filter((latency) => latency > SLO).length / period.latencies.length,
          completed: period.completedRequests,
        },
      };
    })
    .slice(WARM_UP);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function assertWithin(actual: number, expected: number, share: number, what: string): void {
  const error = actual / expected - 1;
  assert.ok(
    Math.abs(error) <= share,
    `${what}: model ${actual}, judge ${expected}, error ${(100 * error).toFixed(1)} %`,
  );
}

const replicasAt = (utilisation: number, requestsPerSecond: number): Int32Array =>
  new Simulation(onlineBoutiqueApplication).replicasFor(requestsPerSecond, utilisation);

for (const { utilisation, p95Error, violationError } of [
  { utilisation: 0.5, p95Error: 0.03, violationError: 0.0005 },
  { utilisation: 0.7, p95Error: 0.03, violationError: 0.0005 },
  { utilisation: 0.9, p95Error: 0.06, violationError: 0.004 },
]) {
  test(`below saturation, at utilisations up to ${utilisation}, latency and throughput are the judge's`, () => {
    // Replicas for 50 % at 200 requests/s, so that every service keeps about the same utilisation.
    const rates = Array.from({ length: 16 }, () => 400 * utilisation);
    const compared = compare({ rates, replicas: replicasAt(0.5, 200), seed: 3 });
    const over = (value: (side: Compared['model']) => number): [number, number] => [
      mean(compared.map(({ model }) => value(model))),
      mean(compared.map(({ judge }) => value(judge))),
    ];
    assertWithin(...over(({ p50 }) => p50), 0.05, 'median latency');
    assertWithin(...over(({ p95 }) => p95), p95Error, 'p95');
    assertWithin(...over(({ completed }) => completed), 0.005, 'completed requests');
    const [model, judge] = over(({ violations }) => violations);
    assert.ok(Math.abs(model - judge) <= violationError, `violations: model ${model}, judge ${judge}`);
  });
}

test('over saturation in the middle of the call tree, backlog, throughput and latency are the judge’s', () => {
  // 320 requests/s meet 267 requests/s of currency service; then 100 requests/s let it drain.
  const rates = [200, 200, ...Array.from({ length: 6 }, () => 320), ...Array.from({ length: 6 }, () => 100)];
  const compared = compare({ rates, replicas: replicasAt(0.75, 200), seed: 1 });
  compared.forEach(({ model, judge }, step) => {
    assertWithin(model.completed, judge.completed, 0.05, `completed in step ${step}`);
  });
  for (const step of [2, 3, 4]) {
    assertWithin(compared[step].model.p50, compared[step].judge.p50, 0.15, `median in step ${step}`);
    assertWithin(compared[step].model.p95, compared[step].judge.p95, 0.15, `p95 in step ${step}`);
  }
  const end = compared.at(-1)!;
  assertWithin(end.model.p95, end.judge.p95, 0.06, 'p95 after the backlog is gone');
});

test('over saturation at the entrance, downstream gets what comes through, and new pods clear the backlog in time', () => {
  const scalings = [
    { atSeconds: 30, service: 'frontend', replicas: 3 },
    { atSeconds: 90, service: 'frontend', replicas: 8 },
  ];
  const rates = Array.from({ length: 12 }, () => 200);
  const compared = compare({ rates, replicas: replicasAt(0.6, 200), scalings, seed: 2 });
  // 8 pods are asked for at step 6 and serve after 20 s, in the middle of step 7.
  compared.forEach(({ model, judge }, step) => {
    assertWithin(model.completed, judge.completed, 0.06, `completed in step ${step}`);
  });
  for (const step of [2, 3, 4]) {
    assertWithin(compared[step].model.p50, compared[step].judge.p50, 0.1, `median in step ${step}`);
    assertWithin(compared[step].model.p95, compared[step].judge.p95, 0.1, `p95 in step ${step}`);
  }
  assertWithin(compared[8].model.p95, compared[8].judge.p95, 0.2, 'p95 while the backlog drains');
  assertWithin(compared[11].model.p95, compared[11].judge.p95, 0.06, 'p95 after the backlog is gone');
});
