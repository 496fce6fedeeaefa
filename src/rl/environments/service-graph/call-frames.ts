/** Columns of a frame for each edge. */
export const EDGE_FRAME = { callsPerSecond: 0, p95Seconds: 1, errorShare: 2, width: 3 } as const;
/** Columns of a frame for each node, behind those of all edges. */
export const NODE_FRAME = { memoryShare: 0, callsOutPerSecond: 1, width: 2 } as const;

/** What is known of the calls between slots, and of memory. */
export interface CallFrames {
  /** All frames, one after the other; edges by source × slots + target. */
  readonly values: Float64Array;
  /** Where the newest frame that controllers see begins. */
  readonly visible: number;
  /** Where the columns of the nodes begin within a frame. */
  readonly nodesAt: number;
}
