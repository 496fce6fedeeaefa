/** Reads a cluster again and again, and tells how long it took and how much memory: see observe-cluster.ts. */
import { createClusterReader } from '../../src/cluster/kubernetes/cluster-reader.ts';
import { createKubernetesClient } from '../../src/cluster/kubernetes/kubernetes-client.ts';

const [kubeconfig, namespace] = process.argv.slice(2);
const reader = createClusterReader(createKubernetesClient({ kubeconfig, context: null, namespaces: [namespace] }));
const read = () => reader.read({ namespaces: [namespace], events: true });

global.gc?.();
const residentBefore = process.memoryUsage.rss();
const seconds: number[] = [];
let state = await read();
for (let repetition = 0; repetition < 20; repetition++) {
  const startedMs = performance.now();
  state = await read();
  seconds.push((performance.now() - startedMs) / 1000);
}
const residentMb = (process.resourceUsage().maxRSS * 1024 - residentBefore) / 1e6;
const { pods, workloads } = state;
process.send!({ seconds, residentMb, pods: pods.length, workloads: workloads.length }, () => process.disconnect());
