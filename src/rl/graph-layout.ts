import type { GraphLayout } from './environment.ts';

/** Where each part of a flat graph observation begins, and its length. */
export interface GraphParts {
  readonly nodes: number;
  readonly identities: number;
  readonly edges: number;
  readonly globals: number;
  readonly size: number;
}

/** Where the parts of an observation of this layout begin, in elements. */
export function graphParts({ nodes, nodeFeatures, edges, edgeFeatures, globalFeatures }: GraphLayout): GraphParts {
  const identities = nodes * nodeFeatures;
  const edgesAt = identities + nodes;
  const globals = edgesAt + edges * edgeFeatures;
  return { nodes: 0, identities, edges: edgesAt, globals, size: globals + globalFeatures };
}
