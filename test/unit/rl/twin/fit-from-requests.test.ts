/**
 * The twin judged by a simulation that goes request by request and shares no code with it: bursts, queues and the mix of
 * requests are real, and nothing of it is a fluid.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ClusterRecording } from '../../../../src/contracts/cluster-metrics.ts';
import { serviceSeries } from '../../../../src/contracts/cluster-metrics.ts';
import type { ServiceSeries } from '../../../../src/contracts/cluster-metrics.ts';
import type { Application, ServiceParameters } from '../../../../src/rl/environments/online-boutique/application.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { fitTwin } from '../../../../src/rl/twin/fit-twin.ts';
import { refuseUnfit } from '../../../../src/rl/twin/refuse-unfit.ts';
import { simulateRequests } from '../environments/online-boutique/discrete-event-simulation.ts';
import type { Scaling } from '../environments/online-boutique/discrete-event-simulation.ts';
import { swing } from './record-application.ts';

const BINS = 600;
const BIN_SECONDS = 15;

function service(name: string, serversPerPod: number, serviceSeconds: number, scv: number): ServiceParameters {
  return {
    ...{ name, serversPerPod, serviceSeconds, serviceScv: scv, networkSeconds: 0.001 },
    ...{ startupSeconds: 0, terminationSeconds: 5, cpuRequestMillicores: 10 + 100 * serversPerPod },
    ...{ cpuIdleMillicores: 10, cpuBusyMillicores: 100, minReplicas: 1, maxReplicas: 20 },
  };
}

const application: Application = {
  services: [service('web', 2, 0.04, 0.5), service('cart', 4, 0.05, 1), service('stock', 1, 0.01, 1)],
  requests: [
    { name: 'look', weight: 3, call: { service: 'web', calls: [{ service: 'stock', times: 2 }] } },
    {
      name: 'buy',
      weight: 1,
      call: { service: 'web', calls: [{ service: 'cart', times: 2, calls: [{ service: 'stock' }] }] },
    },
  ],
};
const visits = { web: 1, cart: 0.5, stock: 2 };

/** Replicas for the rate of each bin at 75 % utilisation, as an autoscaler a bin behind would have them. */
function scaled(rates: readonly number[]): number[][] {
  return rates.map((_, bin) =>
    application.services.map(({ name, serversPerPod, serviceSeconds }) => {
      const rate = rates[Math.max(0, bin - 1)] * visits[name as keyof typeof visits];
      return Math.max(1, Math.ceil((rate * serviceSeconds) / (0.75 * serversPerPod)));
    }),
  );
}

function record(): ClusterRecording {
  const rates = Array.from({ length: BINS }, (_, bin) => swing(30)(bin));
  const replicas = scaled(rates);
  const scalings = replicas.flatMap((counts, bin): Scaling[] =>
    counts.map((count, s) => ({
      atSeconds: bin * BIN_SECONDS,
      service: application.services[s].name,
      replicas: count,
    })),
  );
  const periods = simulateRequests({
    application,
    replicas: Object.fromEntries(application.services.map(({ name }, s) => [name, replicas[0][s]])),
    rates,
    periodSeconds: BIN_SECONDS,
    scalings,
    generator: new Generator(11),
  });
  const of = (value: (bin: number) => number): Float32Array =>
    Float32Array.from({ length: BINS }, (_, bin) => value(bin));
  const unknown = (): Float32Array => new Float32Array(BINS).fill(NaN);
  const requests = of((bin) => periods[bin].arrivals.reduce((a, b) => a + b, 0) / BIN_SECONDS);
  const calls = (name: string): Float32Array => of((bin) => periods[bin].completedCalls[name] / BIN_SECONDS);
  return {
    ...{
      namespace: 'n',
      dialect: 'istio',
      startSeconds: 0,
      binSeconds: BIN_SECONDS,
      bins: BINS,
      entry: 'n/web',
      gaps: [],
    },
    requestsPerSecond: requests,
    p95Seconds: of((bin) => periods[bin].latencies[Math.floor(0.95 * (periods[bin].latencies.length - 1))]),
    services: application.services.map(({ name, cpuIdleMillicores, cpuBusyMillicores }, s) => ({
      ...{ workload: `n/${name}`, cpuRequestMillicores: null, cpuLimitMillicores: null, startupSeconds: [] },
      ...{ memoryRequestBytes: null, memoryLimitBytes: null, minReplicas: null, maxReplicas: null },
      series: {
        ...(Object.fromEntries(serviceSeries.map((series) => [series, unknown()])) as Record<
          ServiceSeries,
          Float32Array
        >),
        replicas: of((bin) => replicas[bin][s]),
        readyReplicas: of((bin) => replicas[bin][s]),
        callsPerSecond: calls(name),
        ownSeconds: of((bin) => periods[bin].meanOwnSeconds[name]),
        cpuMillicores: of(
          (bin) => cpuIdleMillicores * replicas[bin][s] + cpuBusyMillicores * periods[bin].meanBusyServers[name],
        ),
      },
    })),
    edges: [
      ['n/web', 'n/cart', 0.5] as const,
      ['n/web', 'n/stock', 1.5] as const,
      ['n/cart', 'n/stock', 1] as const,
    ].map(([source, target, ratio]) => {
      const callers = source === 'n/web' ? calls('web') : calls('cart');
      return {
        ...{ source, target, protocol: 'http' as const, errorRate: unknown(), meanSeconds: unknown() },
        callsPerSecond: callers.map((rate) => ratio * rate),
      };
    }),
  };
}

test('a twin of an application simulated request by request has its capacity, and predicts what it did not see', () => {
  const twin = fitTwin(record());
  refuseUnfit(twin.report, 0.2);
  for (const truth of application.services) {
    const fitted = twin.application.services.find(({ name }) => name === truth.name)!;
    const capacity = (each: ServiceParameters): number => each.serversPerPod / each.serviceSeconds;
    const off = capacity(fitted) / capacity(truth) - 1;
    // A service that was never busy does not show its servers: then the twin has fewer, and says so.
    const known = twin.report.services.find((fit) => fit.service === truth.name)!.serversFrom === 'saturation';
    assert.equal(known, truth.name !== 'cart');
    const [low, high] = known ? [-0.05, 0.08] : [-0.4, 0.05];
    assert.ok(
      off > low && off < high,
      `${truth.name}: ${capacity(fitted)} instead of ${capacity(truth)} calls/s a pod`,
    );
    const seconds = fitted.serviceSeconds / truth.serviceSeconds - 1;
    assert.ok(Math.abs(seconds) < 0.08, `${truth.name}: ${fitted.serviceSeconds} instead of ${truth.serviceSeconds} s`);
  }
  assert.ok(twin.report.p95Error! < 0.15, `p95 off by ${twin.report.p95Error}`);
});
