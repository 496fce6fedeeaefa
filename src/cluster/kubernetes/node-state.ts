import type { NodeState } from '../../contracts/cluster.ts';
import type { ApiNode } from './api-objects.ts';
import { millicores, wholeNumber } from './quantity.ts';

export function nodeState({ metadata, spec, status }: ApiNode): NodeState {
  const { cpu = 0, memory = 0, pods = 0 } = status?.allocatable ?? {};
  return {
    name: metadata.name,
    ready: status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false,
    unschedulable: spec?.unschedulable ?? false,
    allocatableMillicores: millicores(cpu),
    allocatableBytes: wholeNumber(memory),
    allocatablePods: wholeNumber(pods),
    labels: metadata.labels ?? {},
  };
}
