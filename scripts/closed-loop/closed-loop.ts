/**
 * Everything around a control loop but the loop: a namespace of a real control plane with an application's objects, the
 * twin as their load, and a Prometheus that scrapes it. For tests and benchmarks.
 */
import type { PrometheusServer } from '../local-services/prometheus-server.ts';
import { startPrometheus } from '../local-services/prometheus-server.ts';
import { playNamespace } from './played-namespace.ts';
import type { PlayedNamespace, PlayedNamespaceOptions } from './played-namespace.ts';

export interface ClosedLoopOptions extends PlayedNamespaceOptions {
  /** Path of `prometheus`, whose data are in the data folder too. */
  readonly prometheus: string;
  /** Between two scrapes. Default 1. */
  readonly scrapeSeconds?: number;
  /** For a Prometheus whose data folder holds a history with longer intervals between its samples. */
  readonly lookbackSeconds?: number;
}

export interface ClosedLoop extends PlayedNamespace {
  readonly prometheus: PrometheusServer;
  /** The settings by which a control worker finds cluster and Prometheus. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Creates the objects and starts twin and Prometheus. Resolves when both answer; what was started by then is stopped when not. */
export async function startClosedLoop(options: ClosedLoopOptions): Promise<ClosedLoop> {
  const { kubeconfig, namespace, dataFolder, scrapeSeconds = 1, lookbackSeconds } = options;
  const played = await playNamespace(options);
  try {
    const prometheus = await startPrometheus({
      program: options.prometheus,
      dataFolder,
      lookbackSeconds,
      scrape: [{ job: 'twin', targets: [played.target], intervalSeconds: scrapeSeconds }],
    });
    return {
      ...played,
      prometheus,
      environment: {
        COXSWAIN_KUBECONFIG: kubeconfig,
        COXSWAIN_CLUSTER_NAMESPACES: namespace,
        COXSWAIN_PROMETHEUS_URL: prometheus.url,
      },
      async stop() {
        await prometheus.stop();
        await played.stop();
      },
    };
  } catch (error) {
    await played.stop();
    throw error;
  }
}
