import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ClusterRecording, RecordedService, ServiceSeries } from '../../../../src/contracts/cluster-metrics.ts';
import { serviceSeries } from '../../../../src/contracts/cluster-metrics.ts';
import type { Application, ServiceParameters } from '../../../../src/rl/environments/online-boutique/application.ts';
import { onlineBoutiqueApplication } from '../../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { compileTopology } from '../../../../src/rl/environments/online-boutique/topology.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { fitTwin } from '../../../../src/rl/twin/fit-twin.ts';
import { refuseUnfit, worstError } from '../../../../src/rl/twin/refuse-unfit.ts';
import type { ServiceFit, Twin } from '../../../../src/rl/twin/twin.ts';
import { recordApplication, swing } from './record-application.ts';
import type { RecordingOptions } from './record-application.ts';

/** The default of the RunSpec's `fit.maxError`. */
const MAX_ERROR = 0.2;
/** Six hours of 15 s. */
const BINS = 1440;

const plain = recordApplication(onlineBoutiqueApplication, { bins: BINS, requestsPerSecond: swing(100) });

const boutique = (changes?: Partial<RecordingOptions>): ClusterRecording =>
  changes === undefined
    ? plain
    : recordApplication(onlineBoutiqueApplication, { bins: BINS, requestsPerSecond: swing(100), ...changes });

/** A recording in which some series of one service are others. */
function withSeries(
  recording: ClusterRecording,
  name: string,
  change: (series: Record<ServiceSeries, Float32Array>) => void,
): ClusterRecording {
  const services = recording.services.map((service): RecordedService => {
    if (service.workload !== `shop/${name}`) return service;
    const series = structuredClone(service.series) as Record<ServiceSeries, Float32Array>;
    change(series);
    return { ...service, series };
  });
  return { ...recording, services };
}

function fitOf(twin: Twin, name: string): ServiceFit {
  return twin.report.services.find(({ service }) => service === name)!;
}

function parametersOf(twin: Twin, name: string): ServiceParameters {
  return twin.application.services.find((service) => service.name === name)!;
}

/** |fitted / true − 1|. */
function assertNear(fitted: number, truth: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(fitted / truth - 1) <= tolerance, `${what}: ${fitted} instead of ${truth}`);
}

function visitsOf(application: Application): Map<string, number> {
  const { services, visits } = compileTopology(application);
  return new Map(services.map((name, s) => [name, visits[s]]));
}

describe('Online Boutique, recorded under an HPA with 5 % noise and gaps', () => {
  const recording = boutique();
  const twin = fitTwin(recording);

  test('has its services again, the entry first', () => {
    assert.equal(twin.application.services[0].name, 'frontend');
    const names = (application: Application): string[] => application.services.map(({ name }) => name).sort();
    assert.deepEqual(names(twin.application), names(onlineBoutiqueApplication));
  });

  for (const truth of onlineBoutiqueApplication.services) {
    test(`${truth.name} is recovered: servers, times, CPU, calls`, () => {
      const fitted = parametersOf(twin, truth.name);
      assert.equal(fitted.serversPerPod, truth.serversPerPod);
      assertNear(fitted.serviceSeconds, truth.serviceSeconds, 0.07, 'service time');
      assertNear(fitted.cpuBusyMillicores, truth.cpuBusyMillicores, 0.07, 'CPU of a busy server');
      assert.ok(Math.abs(fitted.cpuIdleMillicores - truth.cpuIdleMillicores) < 0.02 * truth.cpuRequestMillicores);
      // Nobody measures the way of users' requests to the entry.
      const network = truth.name === 'frontend' ? 0 : truth.networkSeconds;
      assert.ok(Math.abs(fitted.networkSeconds - network) <= 0.0012, `${fitted.networkSeconds}`);
      assert.equal(fitted.cpuRequestMillicores, truth.cpuRequestMillicores);
      assert.deepEqual([fitted.minReplicas, fitted.maxReplicas], [truth.minReplicas, truth.maxReplicas]);
      const visits = visitsOf(onlineBoutiqueApplication).get(truth.name)!;
      assertNear(visitsOf(twin.application).get(truth.name)!, visits, 0.03, 'calls of a request');
    });
  }

  test('start-up is the median of the pods that started', () => {
    assert.equal(parametersOf(twin, 'adservice').startupSeconds, 40);
    assert.equal(parametersOf(twin, 'currencyservice').startupSeconds, 15);
    assert.match(fitOf(twin, 'emailservice').notes.join(' '), /No pod started .* 20 s/);
  });

  test('predicts what was not fitted on within the noise, the users’ tail included', () => {
    for (const fit of twin.report.services) assert.ok(worstError(fit) < 0.08, JSON.stringify(fit));
    assert.ok(twin.report.p95Error! < 0.06, `${twin.report.p95Error}`);
    assert.deepEqual(twin.report.judged, { from: 1008, to: 1440 });
    refuseUnfit(twin.report, MAX_ERROR);
  });

  test('is the same each time', () => assert.deepEqual(fitTwin(recording), twin));
});

test('servers are told from the saturation curve where no limit or request says anything', () => {
  const recording = boutique({ limitRatio: null, hpaTargetPercent: 70 });
  const services = recording.services.map((service) => ({ ...service, cpuRequestMillicores: null }));
  const twin = fitTwin({ ...recording, services });
  for (const name of ['frontend', 'cartservice', 'currencyservice', 'productcatalogservice']) {
    const truth = onlineBoutiqueApplication.services.find((service) => service.name === name)!;
    assert.equal(parametersOf(twin, name).serversPerPod, truth.serversPerPod, name);
    assert.equal(fitOf(twin, name).serversFrom, 'saturation');
    assertNear(parametersOf(twin, name).cpuRequestMillicores, truth.cpuRequestMillicores, 0.05, name);
  }
});

test('a service that was never busy has the servers that its CPU limit leaves room for, and says so', () => {
  const twin = fitTwin(boutique({ hpaTargetPercent: 15 }));
  assert.deepEqual(
    [parametersOf(twin, 'frontend').serversPerPod, fitOf(twin, 'frontend').serversFrom],
    [2, 'cpu-limit'],
  );
});

test('15 % noise and a fifth of the bins with a gap are still a twin', () => {
  const twin = fitTwin(boutique({ noise: 0.15, missing: 0.2 }));
  refuseUnfit(twin.report, MAX_ERROR);
  for (const truth of onlineBoutiqueApplication.services) {
    assertNear(parametersOf(twin, truth.name).serviceSeconds, truth.serviceSeconds, 0.1, truth.name);
  }
});

test('a service whose CPU does not follow its calls is refused by name, with its errors', () => {
  const generator = new Generator(5);
  const recording = withSeries(boutique(), 'paymentservice', ({ cpuMillicores }) => {
    let walk = 0;
    for (let bin = 0; bin < BINS; bin++) {
      walk = 0.99 * walk + 0.14 * generator.normal();
      cpuMillicores[bin] = 200 * Math.exp(0.6 * walk);
    }
  });
  assert.throws(() => refuseUnfit(fitTwin(recording).report, MAX_ERROR), {
    code: 'TWIN_UNFIT',
    message:
      /^The twin is too far from the recording in 1 of 11 services \(fit\.maxError 0\.2\): paymentservice \(CPU 0\.[2-9]\d, calls 0\.0\d, latency 0\.0\d\)\. .*raise fit\.maxError\.$/,
  });
});

test('a steady rate is said to show too little, and CPU at rest not to be told from CPU of calls', () => {
  const { report } = fitTwin(boutique({ requestsPerSecond: () => 60 }));
  assert.match(report.notes.join(' '), /too little variation \(5\d\.\d to 6\d\.\d requests\/s/);
  const notes = report.services.flatMap((fit) => fit.notes).join(' ');
  assert.match(notes, /Calls per pod hardly varied/);
});

test('a cluster of one replica each is fitted, with the prior bounds of its replicas', () => {
  const twin = fitTwin(boutique({ requestsPerSecond: swing(4), hpaTargetPercent: null, replicas: 1 }));
  refuseUnfit(twin.report, MAX_ERROR);
  const { minReplicas, maxReplicas } = parametersOf(twin, 'frontend');
  assert.deepEqual([minReplicas, maxReplicas], [1, 5]);
  assert.equal(parametersOf(twin, 'currencyservice').serversPerPod, 1);
});

test('without edges every service is the entry’s, with the calls that were counted', () => {
  const twin = fitTwin({ ...boutique(), edges: [] });
  const [{ call }] = twin.application.requests;
  assert.equal(call.calls!.length, 10);
  assert.ok(call.calls!.every(({ calls }) => calls === undefined));
  const visits = visitsOf(onlineBoutiqueApplication);
  for (const [name, calls] of visitsOf(twin.application)) assertNear(calls, visits.get(name)!, 0.03, name);
  assert.match(twin.report.notes.join(' '), /no edges/);
});

test('a service without calls and latencies is fitted to its CPU, and one without latency keeps its capacity', () => {
  const blank = (...names: ServiceSeries[]) => {
    return (series: Record<ServiceSeries, Float32Array>): void => names.forEach((name) => series[name].fill(NaN));
  };
  const silent = withSeries(boutique(), 'redis-cart', blank('callsPerSecond', 'meanSeconds', 'ownSeconds'));
  const twin = fitTwin(withSeries(silent, 'adservice', blank('ownSeconds')));
  assert.deepEqual([fitOf(twin, 'redis-cart').callsError, fitOf(twin, 'redis-cart').latencyError], [null, null]);
  assert.ok(fitOf(twin, 'redis-cart').cpuError! < 0.1);
  const { serversPerPod, serviceSeconds } = parametersOf(twin, 'adservice');
  assertNear(serversPerPod / serviceSeconds, 2 / 0.012, 0.05, 'calls/s of a pod');
  refuseUnfit(twin.report, MAX_ERROR);
});

test('a load generator is no part of the twin, and replicas stand for ready pods that nobody counted', () => {
  const recording = boutique();
  const known = recording.services.map((service) => {
    const readyReplicas = new Float32Array(BINS).fill(NaN);
    return { ...service, series: { ...service.series, readyReplicas } };
  });
  const unknown = Object.fromEntries(serviceSeries.map((name) => [name, new Float32Array(BINS).fill(NaN)]));
  const series = { ...unknown, replicas: new Float32Array(BINS).fill(1) } as RecordedService['series'];
  const loader: RecordedService = { ...recording.services[0], workload: 'shop/loadgenerator', series };
  const edge = { ...recording.edges[0], source: loader.workload, target: recording.entry };
  const twin = fitTwin({ ...recording, services: [loader, ...known], edges: [...recording.edges, edge] });
  assert.equal(twin.application.services.length, 11);
  assert.match(twin.report.notes.join(' '), /shop\/loadgenerator only sends requests/);
  refuseUnfit(twin.report, MAX_ERROR);
  assertNear(parametersOf(twin, 'cartservice').serviceSeconds, 0.012, 0.07, 'service time');
});

test('services that come and go are features of the graph, together where they were together', () => {
  const away = [
    [200, 500],
    [800, 900],
    [1150, 1250],
  ] as const;
  const twin = fitTwin(
    boutique({ absent: { adservice: away, emailservice: away, recommendationservice: [[600, 1000]] } }),
  );
  const { graph, changesPerHour } = twin;
  const featured = graph.features.map(({ services }) => services.map(({ name }) => name));
  assert.deepEqual(featured, [['adservice', 'emailservice'], ['recommendationservice']]);
  assert.equal(graph.services.length, 8);
  const ways = graph.features.flatMap(({ calls }) => calls.map(({ caller, call }) => `${caller} → ${call.service}`));
  assert.deepEqual([...new Set(ways)].sort(), [
    'checkoutservice → emailservice',
    'frontend → adservice',
    'frontend → recommendationservice',
  ]);
  // Four changes of the first and two of the second in the 4.2 hours fitted on.
  assertNear(changesPerHour, 6 / 4.2, 0.01, 'changes an hour');
  refuseUnfit(twin.report, MAX_ERROR);
});

test('a service that appears only after the part fitted on is left out, and named', () => {
  const twin = fitTwin(boutique({ absent: { adservice: [[0, 1200]] } }));
  assert.equal(twin.application.services.length, 10);
  assert.match(twin.report.notes.join(' '), /shop\/adservice was not there while the twin was fitted/);
});

test('memory is the pods’ and their calls’', () => {
  const recording = withSeries(boutique(), 'cartservice', (series) => {
    for (let bin = 0; bin < BINS; bin++) {
      const calls = series.callsPerSecond[bin] * series.meanSeconds[bin];
      series.memoryBytes[bin] = 2 ** 20 * (80 * series.readyReplicas[bin] + 3 * calls);
    }
  });
  const cart = fitTwin(recording).graph.services.find(({ name }) => name === 'cartservice')!;
  assertNear(cart.memoryIdleMebibytes, 80, 0.02, 'idle');
  assertNear(cart.memoryPerCallMebibytes, 3, 0.05, 'a call');
  assert.equal(cart.memoryLimitMebibytes, 128);
});

describe('what cannot be fitted is refused', () => {
  const refused = (recording: ClusterRecording, message: RegExp): void =>
    assert.throws(() => fitTwin(recording), { code: 'TWIN_UNFIT', message });

  test('no entry', () => refused({ ...boutique(), entry: 'shop/nobody' }, /has no service shop\/nobody/));
  test('bins that the simulator cannot play', () =>
    refused({ ...boutique(), binSeconds: 10 }, /bins of 10 s, but the simulator's step is 15 s/));
  test('too few bins with users’ requests', () => {
    const recording = boutique();
    const requestsPerSecond = new Float32Array(BINS).fill(NaN);
    requestsPerSecond.set(recording.requestsPerSecond.subarray(0, 30));
    refused({ ...recording, requestsPerSecond }, /known in 30 bins to fit on and 0 to judge by/);
  });
});

test('bins of a minute are played as four steps', () => {
  const fine = boutique({ requestsPerSecond: swing(60) });
  const bins = BINS / 4;
  const coarse = (series: Float32Array): Float32Array =>
    Float32Array.from({ length: bins }, (_, bin) => {
      const four = series.subarray(4 * bin, 4 * bin + 4).filter(Number.isFinite);
      return four.reduce((sum, value) => sum + value, 0) / four.length;
    });
  const recording: ClusterRecording = {
    ...fine,
    binSeconds: 60,
    bins,
    requestsPerSecond: coarse(fine.requestsPerSecond),
    p95Seconds: coarse(fine.p95Seconds),
    services: fine.services.map((service) => ({
      ...service,
      series: Object.fromEntries(
        Object.entries(service.series).map(([name, series]) => [name, coarse(series)]),
      ) as RecordedService['series'],
    })),
    edges: fine.edges.map((edge) => ({
      ...edge,
      callsPerSecond: coarse(edge.callsPerSecond),
      errorRate: coarse(edge.errorRate),
      meanSeconds: coarse(edge.meanSeconds),
    })),
    gaps: [],
  };
  const twin = fitTwin(recording);
  refuseUnfit(twin.report, MAX_ERROR);
  assertNear(parametersOf(twin, 'frontend').serviceSeconds, 0.04, 0.1, 'service time');
});
