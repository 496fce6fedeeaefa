import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '../../../src/rl/environments/online-boutique/application.ts';
import { onlineBoutiqueApplication } from '../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { Simulation, SUB_STEP_SECONDS } from '../../../src/rl/environments/online-boutique/simulation.ts';
import { Generator } from '../../../src/rl/random.ts';
import { Exposition } from '../../../src/twin-load/exposition.ts';
import { PlayedApplication } from '../../../src/twin-load/played-application.ts';
import { PodLedger } from '../../../src/twin-load/pod-ledger.ts';
import { PodSeries } from '../../../src/twin-load/pod-series.ts';
import { durationBoundsMs } from '../../../src/twin-load/request-series.ts';
import { clusterState, namespace, pods } from './cluster-states.ts';
import type { ScrapedSeries } from './scraped-series.ts';
import { scrapedSeries, sumOf } from './scraped-series.ts';

const { services } = onlineBoutiqueApplication;
const duration = 'istio_request_duration_milliseconds';
const users = { reporter: 'destination', source_workload: 'unknown' };

/** A twin on pods that serve at once. */
function twin(options: { application?: Application; speed?: number; ingress?: boolean } = {}) {
  const { application = onlineBoutiqueApplication, speed = 1, ingress = false } = options;
  const ledger = new PodLedger({ namespace, services: application.services, playStartup: false, speed });
  const played = new PlayedApplication(application, {
    namespace,
    ingress: ingress ? { namespace: 'istio-system', name: 'gateway' } : null,
    sloSeconds: 0.5,
    speed,
    generator: new Generator(7),
  });
  const podSeries = new PodSeries();
  const scale = (replicas: Readonly<Record<string, number>>): void => {
    ledger.read(clusterState(Object.fromEntries(Object.entries(replicas).map(([k, n]) => [k, pods(n)]))), 1);
    ledger.refresh(1);
  };
  const scrape = (share = 1): ScrapedSeries[] => {
    const exposition = new Exposition();
    played.mesh.write(exposition, share);
    podSeries.write(exposition, ledger.pods, share);
    return scrapedSeries(exposition.toString());
  };
  return { played, ledger, scale, scrape, play: (rate: number) => played.play(rate, ledger) };
}

/** Replicas for a load, as the simulator finds them. */
function replicasFor(rate: number, utilisation: number): Record<string, number> {
  const counts = new Simulation(onlineBoutiqueApplication).replicasFor(rate, utilisation);
  return Object.fromEntries(services.map(({ name }, s) => [name, counts[s]]));
}

test('every request that users send is counted once, and every call once on each side', () => {
  const { scale, play, scrape } = twin();
  scale(replicasFor(80, 0.6));
  let requests = 0;
  for (let step = 0; step < 60; step++) requests += play(80).requests;
  const series = scrape();
  assert.equal(requests > 20_000, true);
  assert.ok(Math.abs(sumOf(series, 'istio_requests_total', users) - requests) < 1e-3);
  assert.ok(Math.abs(sumOf(series, `${duration}_count`, users) - requests) < 1e-3);
  for (const { name } of services.slice(1)) {
    const of = (reporter: string) =>
      sumOf(series, 'istio_requests_total', {
        reporter,
        destination_workload: name,
        destination_workload_namespace: namespace,
      });
    assert.ok(of('source') > 0, name);
    assert.ok(Math.abs(of('source') - of('destination')) < 1e-3, name);
  }
  // The mean request calls the currency service so often, whatever path it takes.
  const calls = sumOf(series, 'istio_requests_total', {
    reporter: 'destination',
    destination_workload: 'currencyservice',
  });
  const { visits } = new Simulation(onlineBoutiqueApplication).topology;
  assert.ok(Math.abs(calls / requests / visits[4] - 1) < 0.02);
});

for (const [load, rate, utilisation] of [
  ['at ease', 60, 0.5],
  ['near saturation', 60, 0.9],
  ['overloaded', 60, 1.15],
] as const) {
  test(`${load}, the histogram of users' requests is the simulator's distribution at every bound`, () => {
    const { scale, play, scrape, played } = twin();
    scale(replicasFor(rate, utilisation));
    for (let step = 0; step < 30; step++) {
      const before = scrape();
      const { latencies } = play(rate);
      const after = scrape();
      const network = services[0].networkSeconds;
      for (const bound of durationBoundsMs.slice(6)) {
        const labels = { ...users, le: String(bound) };
        const under = sumOf(after, `${duration}_bucket`, labels) - sumOf(before, `${duration}_bucket`, labels);
        const wanted = latencies.requests - latencies.countAbove(bound / 1000 + network);
        assert.ok(Math.abs(under - wanted) < 0.002 * latencies.requests, `${bound} ms: ${under}, not ${wanted}`);
      }
    }
    assert.equal(played.missingServices.size, 0);
  });
}

test('through a gateway of the mesh, its own reports are the users’ latencies with the network', () => {
  const { scale, play, scrape } = twin({ ingress: true });
  scale(replicasFor(60, 0.8));
  const { latencies } = play(60);
  const series = scrape();
  const labels = { reporter: 'source', source_workload: 'gateway', source_workload_namespace: 'istio-system' };
  const slow = latencies.requests - sumOf(series, `${duration}_bucket`, { ...labels, le: '500' });
  assert.ok(Math.abs(slow - latencies.countAbove(0.5)) < 1e-3 * latencies.requests);
  assert.equal(sumOf(series, 'istio_requests_total', users), 0);
});

test('what a service takes itself is its mean less those of the calls that it makes, also while queues grow', () => {
  for (const utilisation of [0.6, 1.2]) {
    const { scale, play, scrape, played } = twin();
    scale(replicasFor(60, utilisation));
    for (let step = 0; step < 12; step++) play(60);
    const before = scrape();
    play(60);
    const after = scrape();
    const grown = (name: string, labels: Record<string, string>) =>
      sumOf(after, name, labels) - sumOf(before, name, labels);
    for (const [s, { name, serviceSeconds }] of services.entries()) {
      // Where a queue grows, calls that are made later are still on their way.
      if (utilisation > 1 && ['frontend', 'checkoutservice'].includes(name)) continue;
      const server = { reporter: 'destination', destination_workload: name };
      const client = { reporter: 'source', source_workload: name };
      const own =
        (grown(`${duration}_sum`, server) - grown(`${duration}_sum`, client)) /
        grown(`${duration}_count`, server) /
        1000;
      const wanted = serviceSeconds + played.simulation.waitSeconds[s];
      assert.ok(
        Math.abs(own / wanted - 1) < (utilisation > 1 ? 0.35 : 0.03),
        `${name} at ${utilisation}: ${own}, not ${wanted}`,
      );
    }
  }
});

test('at speed 10 rates, CPU and latencies stay those of the application, and a step adds a tenth', () => {
  const [slow, fast] = [twin(), twin({ speed: 10 })];
  const requests = [slow, fast].map(({ scale, play }) => {
    scale(replicasFor(80, 0.6));
    let sum = 0;
    for (let step = 0; step < 20; step++) sum += play(80).requests;
    return sum;
  });
  assert.equal(requests[0], requests[1]);
  const [first, tenth] = [slow.scrape(), fast.scrape()];
  for (const name of [...new Set(first.map((one) => one.name))]) {
    const factor = name === 'container_memory_working_set_bytes' ? 1 : 10;
    assert.ok(Math.abs(sumOf(first, name) / sumOf(tenth, name) / factor - 1) < 1e-4, name);
  }
});

test('counters grow evenly over a step', () => {
  const { scale, play, scrape } = twin();
  scale(replicasFor(80, 0.6));
  play(80);
  const end = sumOf(scrape(1), 'istio_requests_total', users);
  const { requests } = play(80);
  assert.equal(sumOf(scrape(0), 'istio_requests_total', users), end);
  assert.ok(Math.abs(sumOf(scrape(0.5), 'istio_requests_total', users) - end - requests / 2) < 1e-6);
});

test('CPU of a service is what its busy servers use, divided among its pods; more pods use less each', () => {
  const cpuOfPods = (replicas: number): { total: number; each: number[] } => {
    const { scale, play, scrape } = twin();
    scale({ ...replicasFor(80, 0.6), frontend: replicas });
    for (let step = 0; step < 12; step++) play(80);
    const before = scrape();
    for (let step = 0; step < 12; step++) play(80);
    const after = scrape();
    const each = Array.from({ length: replicas }, (_, i) => {
      const labels = { pod: `frontend-7f9c-${i}`, container: 'server', node: 'node-1', namespace };
      const name = 'container_cpu_usage_seconds_total';
      return (1000 * (sumOf(after, name, labels) - sumOf(before, name, labels))) / (12 * SUB_STEP_SECONDS);
    });
    return { total: each.reduce((sum, value) => sum + value, 0), each };
  };
  const [few, many] = [cpuOfPods(3), cpuOfPods(6)];
  const busy = 80 * services[0].serviceSeconds * services[0].cpuBusyMillicores;
  assert.ok(Math.abs((few.total - 3 * services[0].cpuIdleMillicores) / busy - 1) < 0.05, `${few.total} for ${busy}`);
  assert.ok(Math.abs((many.total - 6 * services[0].cpuIdleMillicores) / busy - 1) < 0.05);
  assert.ok(many.each.every((each) => Math.abs(each / many.each[0] - 1) < 1e-6) && many.each[0] < 0.6 * few.each[0]);
});

test('a service without pods refuses: its callers report it, they fail, and other requests go on', () => {
  const { scale, play, scrape, played } = twin();
  scale(replicasFor(60, 0.6));
  play(60);
  scale({ ...replicasFor(60, 0.6), paymentservice: 0 });
  const before = scrape();
  let [requests, failed] = [0, 0];
  for (let step = 0; step < 100; step++) {
    const played = play(60);
    requests += played.requests;
    failed += played.failed;
    assert.ok(played.violations >= played.failed);
  }
  const after = scrape();
  const grown = (labels: Record<string, string>) =>
    sumOf(after, 'istio_requests_total', labels) - sumOf(before, 'istio_requests_total', labels);
  assert.deepEqual([...played.missingServices], ['paymentservice']);
  // One request in 28 is a checkout.
  assert.ok(Math.abs(failed / requests - 1 / 28) < 0.005, `${failed} of ${requests}`);
  const refused = { reporter: 'source', destination_workload: 'paymentservice', response_flags: 'UH' };
  const slack = 0.02 * failed + 1;
  assert.ok(Math.abs(grown({ ...refused, grpc_response_status: '14' }) - failed) < slack);
  assert.ok(
    Math.abs(
      grown({ reporter: 'destination', destination_workload: 'checkoutservice', grpc_response_status: '13' }) - failed,
    ) < slack,
  );
  assert.ok(Math.abs(grown({ ...users, response_code: '500' }) - failed) < 1e-3 * failed);
  assert.equal(grown({ reporter: 'destination', destination_workload: 'paymentservice' }), 0);
  assert.equal(grown({ destination_workload: 'emailservice' }), 0, 'nobody calls what comes after the payment');
  assert.ok(grown({ reporter: 'destination', destination_workload: 'adservice' }) > 0);
  scale(replicasFor(60, 0.6));
  const emails = scrape();
  for (let step = 0; step < 20; step++) assert.equal(play(60).failed, 0);
  assert.ok(
    sumOf(scrape(), 'istio_requests_total', { destination_workload: 'emailservice' }) >
      sumOf(emails, 'istio_requests_total', { destination_workload: 'emailservice' }),
  );
});

test('without the service that users call nothing is served, and every request is a failure', () => {
  const { scale, play, scrape, played } = twin({ ingress: true });
  scale(replicasFor(60, 1.2));
  for (let step = 0; step < 5; step++) play(60);
  scale({ ...replicasFor(60, 0.6), frontend: 0 });
  play(60);
  const { requests, failed, violations } = play(60);
  assert.deepEqual([failed, violations], [requests, requests]);
  assert.ok(requests > 200);
  assert.ok(sumOf(scrape(), 'istio_requests_total', { response_code: '503', source_workload: 'gateway' }) > requests);
  for (let step = 0; step < 20; step++) play(60);
  assert.equal(played.simulation.flow.requestsInSystem() < 1, true);
  scale(replicasFor(60, 0.6));
  const back = play(60);
  assert.equal(back.failed, 0);
  assert.ok(back.latencies.quantile(0.95) < 1, 'the crowd that waited is gone');
});

test('an empty namespace, nothing but unknown workloads, and more pods than the application allows are played', () => {
  const { scale, play, scrape } = twin();
  scale({});
  assert.equal(play(10).failed > 0, true);
  scale({ stranger: 2 });
  play(10);
  assert.ok(sumOf(scrape(), 'container_cpu_usage_seconds_total', { pod: 'stranger-7f9c-0', container: 'server' }) > 0);
  scale({ ...replicasFor(60, 0.6), frontend: 300 });
  const { failed, latencies } = play(60);
  assert.equal(failed, 0);
  assert.ok(latencies.quantile(0.95) > 0 && latencies.quantile(0.95) < 1);
});

test('counters of a pod begin at 0 and vanish with it', () => {
  const { ledger, play, scrape } = twin();
  const cpu = (pod: string) =>
    scrape().filter(
      ({ name, labels }) =>
        name === 'container_cpu_usage_seconds_total' && labels.pod === pod && labels.container === 'server',
    );
  const read = (createdAt: number[]): void => {
    ledger.read(
      clusterState({
        ...Object.fromEntries(services.map(({ name }) => [name, pods(2)])),
        frontend: createdAt.map((at) => ({ createdAt: new Date(at) })),
      }),
      5,
    );
    ledger.refresh(5);
  };
  read([1, 1]);
  for (let step = 0; step < 10; step++) play(30);
  const [first] = cpu('frontend-7f9c-0');
  assert.ok(first.value > 1);
  read([1]);
  play(30);
  assert.deepEqual(cpu('frontend-7f9c-1'), []);
  read([1, 4]);
  assert.equal(cpu('frontend-7f9c-1')[0].value, 0);
  play(30);
  assert.ok(cpu('frontend-7f9c-1')[0].value < first.value);
  assert.ok(cpu('frontend-7f9c-0')[0].value > first.value);
});
