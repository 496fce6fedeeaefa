import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Gauge, Registry } from 'prom-client';
import { startHealthServer } from '../../../workers/health-server.ts';
import type { HealthPhase } from '../../../workers/health-server.ts';
import { createWorkerMetrics } from '../../../workers/worker-metrics.ts';

interface Served {
  phase: HealthPhase;
  ask(path: string, method?: string): Promise<{ readonly status: number; readonly text: string }>;
}

async function serve(context: TestContext, registry = new Registry()): Promise<Served> {
  const served: Served = {
    phase: 'starting',
    async ask(path, method = 'GET') {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      return { status: response.status, text: await response.text() };
    },
  };
  const server = await startHealthServer({ port: 0, host: '127.0.0.1', phase: () => served.phase, registry });
  context.after(() => server.close());
  return served;
}

test('a worker is ready between its start and its stop, and alive all the time', async (context) => {
  const served = await serve(context);
  for (const [phase, ready] of [
    ['starting', 503],
    ['ready', 200],
    ['stopping', 503],
  ] as const) {
    served.phase = phase;
    assert.deepEqual(await served.ask('/readyz'), { status: ready, text: JSON.stringify({ status: phase }) });
    assert.equal((await served.ask('/livez')).status, 200);
  }
});

test('only the three paths are answered, and only to GET and HEAD', async (context) => {
  const served = await serve(context);
  assert.equal((await served.ask('/')).status, 404);
  assert.equal((await served.ask('/livez', 'POST')).status, 405);
  assert.equal((await served.ask('/livez?x=1', 'HEAD')).status, 200);
});

test('the metrics tell for each task queue whether it is polled, and what runs', async (context) => {
  const metrics = createWorkerMetrics();
  const served = await serve(context, metrics.registry);
  let runState = 'RUNNING';
  metrics.watch([
    { options: { taskQueue: 'train-cpu' }, getStatus: () => ({ runState, numInFlightActivities: 2 }) },
    { options: { taskQueue: 'evaluate' }, getStatus: () => ({ runState, numInFlightActivities: 0 }) },
  ]);
  const first = (await served.ask('/metrics')).text;
  assert.match(first, /^coxswain_worker_polling\{task_queue="train-cpu"\} 1$/m);
  assert.match(first, /^coxswain_worker_activities\{task_queue="train-cpu"\} 2$/m);
  assert.match(first, /^coxswain_worker_activities\{task_queue="evaluate"\} 0$/m);
  assert.match(first, /^process_cpu_seconds_total \d/m);
  runState = 'DRAINING';
  assert.match((await served.ask('/metrics')).text, /^coxswain_worker_polling\{task_queue="evaluate"\} 0$/m);
});

test('a metric that cannot be read fails the scrape, so that Prometheus notices', async (context) => {
  const registry = new Registry();
  new Gauge({
    name: 'broken',
    help: 'Throws.',
    registers: [registry],
    collect() {
      throw new Error('broken');
    },
  });
  const served = await serve(context, registry);
  assert.equal((await served.ask('/metrics')).status, 500);
});

test('a port that is taken is refused with the setting and what to do', async (context) => {
  const registry = new Registry();
  const options = { host: '127.0.0.1', phase: () => 'ready' as const, registry };
  const first = await startHealthServer({ ...options, port: 0 });
  context.after(() => first.close());
  await assert.rejects(startHealthServer({ ...options, port: first.port }), {
    code: 'CONFIG_INVALID',
    message: /^COXSWAIN_HEALTH_PORT: cannot listen on \d+: .*EADDRINUSE.*; choose a free port$/,
  });
});
