import type { WorkloadKind, WorkloadName } from './cluster.ts';

/** Where the pods of a deployment's workloads run. Without it the scheduler decides alone, and nothing is moved. */
export interface PlacementSpec {
  /** Nodes that the pods of a service of the policy are kept on, by the service's name; others run anywhere. */
  readonly nodes: Readonly<Record<string, readonly string[]>>;
  /** Pods on nodes that are cordoned or not ready are moved away, by eviction. Default true. */
  readonly leaveCordoned: boolean;
  /** Pods that one step may evict, over all workloads. Default 1. */
  readonly movesPerStep: number;
  /** Least time between two placement changes of one workload. Default 60. */
  readonly coolDownSeconds: number;
}

/** What a step saw of the placement. Plain JSON. */
export interface PlacementObservation {
  /** By the API server's clock, ISO 8601. */
  readonly at: string;
  /** Nodes that take no pods now, of those that pods are on or should be on. */
  readonly closedNodes: readonly ClosedNode[];
  /** In the order of the services; null for one that is not there. */
  readonly workloads: readonly (ObservedPlacement | null)[];
}

export interface ClosedNode {
  readonly node: string;
  readonly why: 'cordoned' | 'not-ready';
}

export interface ObservedPlacement {
  readonly workload: WorkloadName;
  readonly kind: WorkloadKind;
  readonly replicas: number;
  /** Ready pods that nobody has told to go. */
  readonly readyPods: number;
  /** True while its pods are being replaced by those of a newer template. */
  readonly rollingOut: boolean;
  /** Pods that its disruption budgets allow to go now; 0 when they could not be read, null = no budget. */
  readonly disruptionsAllowed: number | null;
  /** Nodes that its pods are to be kept on; null = any. */
  readonly wantedNodes: readonly string[] | null;
  /** Whether our affinity says so; true where nothing is wanted. */
  readonly affinityAsWanted: boolean;
  /** Nodes that could take one of its pods: ready, not cordoned, and wanted. */
  readonly openNodes: number;
  /** Pods that are not where they should be, by name; those that were told to go, or are on no node yet, excepted. */
  readonly misplaced: readonly MisplacedPod[];
}

export interface MisplacedPod {
  readonly pod: string;
  /** Of several pods that have one name after another (a StatefulSet's), this one. */
  readonly uid: string | null;
  readonly node: string;
}

/** What placement wants of a workload in a step: one thing at a time. */
export type PlacementProposal =
  | { readonly kind: 'place'; readonly workload: WorkloadName; readonly nodes: readonly string[] }
  | ({ readonly kind: 'move'; readonly workload: WorkloadName } & MisplacedPod);

/** Why a placement is not done now. */
export type PlacementReason =
  | 'not-allowed'
  | 'stale-observation'
  | 'paused'
  | 'frozen'
  | 'rolling-out'
  | 'cool-down'
  | 'scaling'
  | 'not-ready'
  | 'disruption-budget'
  | 'no-node'
  | 'moves-per-step';

/** What the guard made of a proposal. */
export interface GuardedPlacement {
  readonly proposal: PlacementProposal;
  readonly permitted: boolean;
  /** Null when it is permitted. */
  readonly reason: PlacementReason | null;
  readonly detail: string;
}

/** What a step decided about the placement. Plain JSON. */
export interface PlacementDecision {
  /** Null when cluster or nodes could not be read. */
  readonly observation: PlacementObservation | null;
  readonly guarded: readonly GuardedPlacement[];
  /** Workloads whose pods are from this step on where they should be; empty in shadow mode. */
  readonly finished: readonly WorkloadName[];
  /** Workloads that cannot be placed for long, with the reason. */
  readonly stuck: readonly StuckPlacement[];
}

export interface StuckPlacement {
  readonly workload: WorkloadName;
  /** Steps in which something was to be done and could not be. */
  readonly steps: number;
  readonly detail: string;
}

/** What a loop remembers of the placement of a service. */
export interface PlacementMemory {
  /** When its placement was last changed, or the attempt was made; ISO 8601. */
  readonly changedAt: string | null;
  /** True once its affinity may be ours, until the end. */
  readonly placed: boolean;
  /** True while its pods are not all where they should be. */
  readonly due: boolean;
  readonly stuckSteps: number;
}

/** What came of a permitted placement. */
export interface PlacementResult {
  readonly workload: WorkloadName;
  readonly kind: PlacementProposal['kind'];
  /** The pod that was to be moved; null for a placement. */
  readonly pod: string | null;
  /**
   * `placed`; `evicted`; `budget` = a disruption budget refused the eviction after all; `gone` = there is no such workload
   * or pod any more; `failed` = the API server refused or was not there.
   */
  readonly outcome: 'placed' | 'evicted' | 'budget' | 'gone' | 'failed';
  /** Why; empty when it was done. */
  readonly detail: string;
}
