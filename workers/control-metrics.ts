import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { ControlDecision, ControlEvent, DeploymentRecord } from '../src/contracts/control.ts';
import { sharedWithinScrape } from './shared-within-scrape.ts';

/** Where control loops are recorded: the part of the store that is read here. */
export interface ControlRecords {
  listDeployments(): Promise<readonly Pick<DeploymentRecord, 'name' | 'status' | 'spec' | 'openedAt'>[]>;
  latestDecision(deployment: string): Promise<Pick<ControlDecision, 'at' | 'next'> | null>;
  /** Newest first. */
  listEvents(deployment: string): Promise<readonly Pick<ControlEvent, 'kind'>[]>;
}

/** A running control loop. */
interface ControlLoop {
  readonly deployment: string;
  readonly intervalSeconds: number;
  readonly paused: boolean;
  readonly openedAt: Date;
  /** Null before its first step. */
  readonly last: Pick<ControlDecision, 'at' | 'next'> | null;
}

/**
 * Measures, when Prometheus asks, every running control loop by what is recorded of it. Whoever has the store can tell
 * this, so it is told by another process than the one that controls: it must be heard when that one is gone. While the
 * store does not answer the series are absent.
 */
export function addControlMetrics(registry: Registry, records: ControlRecords): void {
  const loops = sharedWithinScrape(() => runningLoops(records).catch(() => []));
  const gauge = (name: string, help: string, valueOf: (loop: ControlLoop) => number | null): Gauge<'deployment'> =>
    new Gauge({
      name,
      help,
      labelNames: ['deployment'],
      registers: [registry],
      async collect() {
        const current = await loops();
        this.reset();
        for (const loop of current) {
          const value = valueOf(loop);
          if (value !== null) this.set({ deployment: loop.deployment }, value);
        }
      },
    });
  gauge(
    'coxswain_control_fallback',
    '1 while the fallback steers the deployment in place of its policy, else 0.',
    ({ last }) => (last === null ? null : Number(last.next.fallback !== null)),
  );
  gauge(
    'coxswain_control_step_timestamp_seconds',
    'When the deployment made its last step, or was opened after it, seconds since 1970.',
    ({ openedAt, last }) => Math.max(openedAt.getTime(), last?.at.getTime() ?? 0) / 1000,
  );
  gauge(
    'coxswain_control_interval_seconds',
    'Time between two steps of the deployment, as its spec says.',
    ({ intervalSeconds }) => intervalSeconds,
  );
  gauge('coxswain_control_paused', '1 while somebody has paused the deployment: it makes no steps.', ({ paused }) =>
    Number(paused),
  );
}

async function runningLoops(records: ControlRecords): Promise<readonly ControlLoop[]> {
  const running = (await records.listDeployments()).filter(({ status }) => status === 'running');
  return Promise.all(
    running.map(async ({ name, spec, openedAt }) => {
      const [last, events] = await Promise.all([records.latestDecision(name), records.listEvents(name)]);
      const change = events.find(({ kind }) => kind === 'paused' || kind === 'resumed');
      const paused = change?.kind === 'paused';
      return { deployment: name, intervalSeconds: spec.intervalSeconds, paused, openedAt, last };
    }),
  );
}
