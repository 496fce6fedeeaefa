import type { Exposition } from './exposition.ts';
import type { GroundTruth } from './ground-truth.ts';

/** The twin's own series: what it knows to be true. Simulated time and whole counts, whatever the speed. */
export function writeTwinSeries(
  exposition: Exposition,
  { totals, steps }: GroundTruth,
  clusterAgeSeconds: number,
): void {
  const counters: readonly (readonly [name: string, help: string, value: number])[] = [
    ['coxswain_twin_requests_total', "Users' requests played.", totals.requests],
    ['coxswain_twin_failed_requests_total', "Users' requests that failed or were refused.", totals.failed],
    ['coxswain_twin_slo_violations_total', "Users' requests slower than the SLO, or failed.", totals.violations],
    ['coxswain_twin_pod_seconds_total', "Pod-seconds of the application's pods.", totals.podSeconds],
  ];
  for (const [name, help, value] of counters) {
    exposition.family(name, 'counter', help);
    exposition.sample(name, '', value);
  }
  const p95 = steps.at(-1)?.p95Seconds ?? null;
  if (p95 !== null) {
    exposition.family('coxswain_twin_p95_seconds', 'gauge', "95th percentile of users' latency in the last 15 s.");
    exposition.sample('coxswain_twin_p95_seconds', '', p95);
  }
  exposition.family('coxswain_twin_cluster_age_seconds', 'gauge', 'Time since the cluster was last read.');
  exposition.sample('coxswain_twin_cluster_age_seconds', '', clusterAgeSeconds);
}
