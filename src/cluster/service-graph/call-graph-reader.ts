import type { CallGraphReader } from '../../contracts/cluster-metrics.ts';
import type { JsonServer } from '../json-request.ts';
import { readKialiGraph } from './kiali.ts';

/** Reads who called whom from Kiali: edges that carried requests or bytes. @param server `url` is what comes before `/api`. */
export function createKialiCallGraph(server: Omit<JsonServer, 'name'>): CallGraphReader {
  return {
    async read(namespace, { fromSeconds, toSeconds }, signal) {
      const { edges } = await readKialiGraph(server, {
        namespaces: [namespace],
        durationSeconds: toSeconds - fromSeconds,
        atSeconds: toSeconds,
        ...(signal ? { signal } : {}),
      });
      const busy = edges.filter(({ requestsPerSecond, bytesPerSecond }) => requestsPerSecond > 0 || bytesPerSecond > 0);
      return busy.map(({ source, target }) => ({ source, target }));
    },
  };
}
