import { labelText } from './exposition.ts';
import type { Exposition } from './exposition.ts';
import { POD_COUNTER } from './pod-ledger.ts';
import type { LedgerPod } from './pod-ledger.ts';

/** Name that every container of the cluster gets: the API's pods are read without them. */
const CONTAINER = 'server';

/** The labels of a pod's series, written once. */
interface PodLabels {
  readonly container: string;
  /** cAdvisor also gives the sum over a pod's containers, under no container's name. */
  readonly pod: string;
  readonly network: string;
}

/**
 * cAdvisor's series of pods that run, as the kubelets' scrapes bring them: what a container uses, and the same again for its
 * pod, without a label `container`. Who sums must choose, as in a real cluster.
 */
export class PodSeries {
  readonly #labels = new WeakMap<LedgerPod, { readonly node: string | null; readonly texts: PodLabels }>();

  /** @param share of the step that is over. */
  write(exposition: Exposition, pods: Iterable<LedgerPod>, share: number): void {
    const running = [...pods]
      .filter(({ state }) => state.phase === 'Running')
      .map((pod) => ({ pod, labels: this.#labelsOf(pod) }));
    const write = (name: string, valueOf: (pod: LedgerPod) => number): void => {
      for (const { pod, labels } of running) {
        exposition.sample(name, labels.container, valueOf(pod));
        exposition.sample(name, labels.pod, valueOf(pod));
      }
    };
    exposition.family('container_cpu_usage_seconds_total', 'counter', 'CPU time used.');
    write('container_cpu_usage_seconds_total', ({ counters }) => counters.at(POD_COUNTER.cpuSeconds, share));
    exposition.family('container_memory_working_set_bytes', 'gauge', 'Memory in use.');
    write('container_memory_working_set_bytes', ({ memoryBytes }) => memoryBytes);
    for (const [name, help, counter] of [
      ['container_network_receive_bytes_total', 'Bytes received.', POD_COUNTER.receivedBytes],
      ['container_network_transmit_bytes_total', 'Bytes sent.', POD_COUNTER.sentBytes],
    ] as const) {
      exposition.family(name, 'counter', help);
      for (const { pod, labels } of running) exposition.sample(name, labels.network, pod.counters.at(counter, share));
    }
  }

  #labelsOf(pod: LedgerPod): PodLabels {
    const { name, namespace, node } = pod.state;
    const known = this.#labels.get(pod);
    if (known?.node === node) return known.texts;
    const labels = { namespace, pod: name, node };
    const texts = {
      container: labelText({ ...labels, container: CONTAINER }),
      pod: labelText(labels),
      network: labelText({ ...labels, interface: 'eth0' }),
    };
    this.#labels.set(pod, { node, texts });
    return texts;
  }
}
