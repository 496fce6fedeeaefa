import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the API measures of itself, for Prometheus. */
export interface ApiMetrics {
  /** `route` is the path's pattern, so that ids do not become labels. */
  observeRequest(labels: { method: string; route: string; status: number }, seconds: number): void;
  countStartedRun(source: 'api' | 'webhook'): void;
  setOpenStreams(open: number): void;
  /** The text format of Prometheus and its media type. */
  render(): Promise<{ readonly text: string; readonly type: string }>;
}

/** {@link ApiMetrics} in a registry of its own. */
export function createApiMetrics(): ApiMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: 'coxswain_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer; for event streams to the end of the stream.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const runs = new Counter({
    name: 'coxswain_runs_started_total',
    help: 'Runs that this process started.',
    labelNames: ['source'] as const,
    registers,
  });
  const streams = new Gauge({ name: 'coxswain_event_streams', help: 'Open streams of server-sent events.', registers });
  return {
    observeRequest: ({ method, route, status }, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    countStartedRun: (source) => runs.inc({ source }),
    setOpenStreams: (open) => streams.set(open),
    render: async () => ({ text: await registry.metrics(), type: registry.contentType }),
  };
}
