import type { ApiMetrics } from './api-metrics.ts';
import { operation } from './operation.ts';
import type { Operation } from './operation.ts';
import type { Readiness } from './readiness.ts';
import { health, readiness } from './system-schemas.ts';

/** What the operations about the API itself work with. */
export interface SystemPorts {
  readonly metrics: ApiMetrics;
  readonly checkReadiness: () => Promise<Readiness>;
}

/** Health, readiness and metrics of this process. */
export function systemOperations({ metrics, checkReadiness }: SystemPorts): Operation[] {
  return [
    operation({
      id: 'health',
      method: 'get',
      path: '/healthz',
      tag: 'System',
      summary: 'Whether this process lives',
      access: 'open',
      replies: { 200: { description: 'It does.', schema: health } },
      handle: async () => ({ status: 200, body: { status: 'ok' } }),
    }),
    operation({
      id: 'readiness',
      method: 'get',
      path: '/readyz',
      tag: 'System',
      summary: 'Whether Temporal and MongoDB answer',
      access: 'open',
      replies: {
        200: { description: 'Both do.', schema: readiness },
        503: { description: 'One does not.', schema: readiness },
      },
      async handle() {
        const answer = await checkReadiness();
        return { status: answer.ready ? 200 : 503, body: answer };
      },
    }),
    operation({
      id: 'metrics',
      method: 'get',
      path: '/metrics',
      tag: 'System',
      summary: 'Metrics of this process for Prometheus',
      replies: { 200: { description: 'Text format of Prometheus.', type: 'text/plain' } },
      async handle() {
        const { text, type } = await metrics.render();
        return { status: 200, body: text, type };
      },
    }),
  ];
}
