import type { ClusterState, ClusterWorkload, NodeState, PodState } from '../contracts/cluster.ts';
import type { DeploymentRecord } from '../contracts/control.ts';
import type {
  ClosedNode,
  MisplacedPod,
  ObservedPlacement,
  PlacementObservation,
  PlacementSpec,
} from '../contracts/placement.ts';
import { resourceOf } from './cluster-gaps.ts';
import { workloadNamed } from './guard-context.ts';

/** How a deployment places; null when it does not. */
export function placementOf({ spec }: Pick<DeploymentRecord, 'spec'>): PlacementSpec | null {
  // Records from before there was placement say nothing about it.
  return (spec.placement as PlacementSpec | null | undefined) ?? null;
}

/** Why the nodes could not be read; null when they were. */
export function nodesUnread({ gaps }: ClusterState): string | null {
  return gaps.find((gap) => resourceOf(gap) === 'nodes')?.reason ?? null;
}

/** What placing must know of a cluster; null when its nodes could not be read. */
export function observePlacement(
  cluster: ClusterState,
  { services }: DeploymentRecord,
  placement: PlacementSpec,
): PlacementObservation | null {
  if (nodesUnread(cluster) !== null) return null;
  const nodes = new Nodes(cluster.nodes, placement.leaveCordoned);
  const workloads = services.map(({ service, workload }) => {
    const found = workloadNamed(cluster, workload);
    const wanted = Object.hasOwn(placement.nodes, service) ? placement.nodes[service] : null;
    return found === undefined ? null : observedPlacement(found, cluster.pods, nodes, wanted);
  });
  const concerned = new Set([
    ...workloads.flatMap((workload) => workload?.wantedNodes ?? []),
    ...workloads.flatMap((workload) => workload?.misplaced ?? []).map(({ node }) => node),
  ]);
  return {
    at: cluster.at.toISOString(),
    closedNodes: nodes.closed.filter(({ node }) => concerned.has(node)),
    workloads,
  };
}

/** The nodes of a cluster by name. */
class Nodes {
  readonly closed: readonly ClosedNode[];
  private readonly byName: ReadonlyMap<string, NodeState>;
  private readonly closedNames: ReadonlySet<string>;
  private readonly leaveCordoned: boolean;

  constructor(nodes: readonly NodeState[], leaveCordoned: boolean) {
    this.byName = new Map(nodes.map((node) => [node.name, node]));
    this.closed = nodes.flatMap(({ name, unschedulable, ready }): ClosedNode[] => {
      if (unschedulable) return [{ node: name, why: 'cordoned' }];
      return ready ? [] : [{ node: name, why: 'not-ready' }];
    });
    this.closedNames = new Set(this.closed.map(({ node }) => node));
    this.leaveCordoned = leaveCordoned;
  }

  /** The value of the host name's label, which is not always the name of the node. */
  hostOf(node: string): string {
    return this.byName.get(node)?.labels['kubernetes.io/hostname'] ?? node;
  }

  mustBeLeft(node: string): boolean {
    return this.leaveCordoned && this.closedNames.has(node);
  }

  /** How many of these, or of all, take pods now. */
  open(among: readonly string[] | null): number {
    const names = among ?? [...this.byName.keys()];
    return names.filter((node) => this.byName.has(node) && !this.closedNames.has(node)).length;
  }
}

function observedPlacement(
  { workload, kind, replicas, readyReplicas, rollingOut = false, disruptionsAllowed, placedOnHosts }: ClusterWorkload,
  allPods: readonly PodState[],
  nodes: Nodes,
  wantedNodes: readonly string[] | null,
): ObservedPlacement {
  const pods = allPods.filter((pod) => pod.workload === workload && !pod.terminating);
  const wantedHosts = wantedNodes?.map((node) => nodes.hostOf(node)) ?? null;
  const affinityAsWanted = wantedHosts === null || isSameSet(wantedHosts, placedOnHosts ?? []);
  const elsewhere = (node: string): boolean => wantedNodes !== null && !wantedNodes.includes(node);
  return {
    workload,
    kind,
    replicas,
    readyPods: Math.min(readyReplicas, pods.filter(({ ready }) => ready).length),
    rollingOut,
    disruptionsAllowed,
    wantedNodes,
    affinityAsWanted,
    openNodes: nodes.open(wantedNodes),
    misplaced: pods
      .flatMap(({ name, uid = null, node }): MisplacedPod[] =>
        node !== null && (nodes.mustBeLeft(node) || elsewhere(node)) ? [{ pod: name, uid, node }] : [],
      )
      .sort((a, b) => (a.pod < b.pod ? -1 : 1)),
  };
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return [...new Set(a)].sort().join() === [...new Set(b)].sort().join();
}
