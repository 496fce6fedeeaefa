import type { Constant, Graph, Node } from './graph.ts';

/**
 * The same graph without what nothing uses, with equal constants kept once and without copies of values that only rename
 * them. Everything else (folding constants, common subexpressions, fusing) ONNX Runtime does when it loads a model.
 */
export function simplify(graph: Graph): Graph {
  return withUniqueConstants(withoutUnused(withOutputsNamed(graph)));
}

/** Longer constants are weights, which do not repeat. */
const largestCompared = 256;

/** Lets the node that computes an output give it its name, instead of a copy after it. */
function withOutputsNamed(graph: Graph): Graph {
  const computed = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const names = new Map<string, string>();
  const nodes = graph.nodes.filter(({ operator, inputs: [source], outputs: [output] }) => {
    if (operator !== 'Identity' || !computed.has(source) || names.has(source)) return true;
    names.set(source, output);
    return false;
  });
  return { ...graph, nodes: nodes.map((node) => renamed(node, names)) };
}

function renamed(node: Node, names: ReadonlyMap<string, string>): Node {
  const rename = (name: string): string => names.get(name) ?? name;
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
}

function withoutUnused(graph: Graph): Graph {
  const used = new Set(graph.outputs.map(({ name }) => name));
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => used.has(name))) continue;
    nodes.push(node);
    for (const name of node.inputs) used.add(name);
  }
  return { ...graph, nodes: nodes.toReversed(), constants: graph.constants.filter(({ name }) => used.has(name)) };
}

function withUniqueConstants(graph: Graph): Graph {
  const known = new Map<string, string>();
  const names = new Map<string, string>();
  const constants = graph.constants.filter((constant) => {
    if (constant.values.length > largestCompared) return true;
    const key = contentKey(constant);
    const former = known.get(key);
    if (former === undefined) known.set(key, constant.name);
    else names.set(constant.name, former);
    return former === undefined;
  });
  return { ...graph, constants, nodes: graph.nodes.map((node) => renamed(node, names)) };
}

/** Object.is tells −0 from 0, so the key must too. */
function contentKey({ type, shape, values }: Constant): string {
  return `${type}[${shape.join()}]${Array.from(values, (value) => (Object.is(value, -0) ? '-0' : String(value))).join()}`;
}
