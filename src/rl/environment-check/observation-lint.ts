import type { EnvironmentDescription, GraphLayout } from '../environment.ts';
import { graphParts } from '../graph-layout.ts';
import { spaceSize } from '../spaces.ts';
import type { Finding, LintSubject } from './lint-subject.ts';

/** A feature: one element of a plain observation, or one column of a graph's nodes or edges. */
interface Feature {
  readonly name: string;
  /** True when all values that it has in this observation are `value`. Rows of a graph that are not there do not count. */
  isAlways(value: number, observation: Float32Array): boolean;
  /** Some value of it, or undefined when the observation has none. */
  first(observation: Float32Array): number | undefined;
}

/** Places of a feature in an observation, each with the place that says whether its row is there (−1: it always is). */
type Places = readonly (readonly [place: number, presence: number])[];

/** Finds features of the observation that had one and the same value in every step of every episode. */
export function observationLint({ description, experience: { observations } }: LintSubject): Finding[] {
  const dead = featuresOf(description).flatMap((feature) => {
    const value = observations.map((observation) => feature.first(observation)).find((first) => first !== undefined);
    const constant = observations.every((observation) => feature.isAlways(value ?? 0, observation));
    return constant ? [{ name: feature.name, value: value ?? null }] : [];
  });
  return families(dead).map((family) => finding(family, observations.length));
}

interface DeadFeature {
  readonly name: string;
  /** What it always is; null when it was never there. */
  readonly value: number | null;
}

function featuresOf(description: EnvironmentDescription): Feature[] {
  const { observationTable, observationSpace, graph } = description;
  if (graph)
    return graphFeatures(
      graph,
      observationTable.map(({ name }) => name),
    );
  const names = new Map(
    observationTable.flatMap(({ index, name }) => placesOf(index).map((place) => [place, name] as const)),
  );
  return Array.from({ length: spaceSize(observationSpace) }, (_, place) => {
    const name = names.get(place) ?? 'element';
    return feature(`${name} (${place})`, [[place, -1]]);
  });
}

/** The places that a table's row is about: `7`, `4–9`, or `4–40, every 6th`. None when it says it otherwise. */
function placesOf(index: string): number[] {
  const [, first, last, stride] = /^(\d+)(?:–(\d+)(?:, every (\d+)(?:st|nd|rd|th))?)?$/.exec(index) ?? [];
  if (first === undefined) return [];
  const step = Number(stride ?? 1);
  const count = Math.floor((Number(last ?? first) - Number(first)) / step) + 1;
  return Array.from({ length: count }, (_, i) => Number(first) + i * step);
}

/** Columns of nodes (there when the identity is not 0), identities, columns of edges (there when active), globals. */
function graphFeatures(graph: GraphLayout, names: readonly string[]): Feature[] {
  const parts = graphParts(graph);
  const rows = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const columns: Places[] = [
    ...rows(graph.nodeFeatures, (column) =>
      rows(graph.nodes, (node) => [parts.nodes + node * graph.nodeFeatures + column, parts.identities + node] as const),
    ),
    rows(graph.nodes, (node) => [parts.identities + node, -1] as const),
    ...rows(graph.edgeFeatures, (column) =>
      rows(graph.edges, (edge) => {
        const first = parts.edges + edge * graph.edgeFeatures;
        return [first + column, column === ACTIVE ? -1 : first + ACTIVE] as const;
      }),
    ),
    ...rows(graph.globalFeatures, (column) => [[parts.globals + column, -1] as const]),
  ];
  return columns.map((places, index) => feature(names[index] ?? `column ${index}`, places));
}

/** The edge feature that says whether a row is an edge (see GraphLayout). */
const ACTIVE = 2;

function feature(name: string, places: Places): Feature {
  const isThere = (observation: Float32Array, presence: number): boolean => presence < 0 || observation[presence] !== 0;
  return {
    name,
    isAlways: (value, observation) =>
      places.every(([place, presence]) => !isThere(observation, presence) || Object.is(observation[place], value)),
    first: (observation) => {
      const found = places.find(([, presence]) => isThere(observation, presence));
      return found && observation[found[0]];
    },
  };
}

/** Dead features whose names end alike (`a.proposal (19)`, `b.proposal (29)`) make one finding. */
function families(dead: readonly DeadFeature[]): DeadFeature[][] {
  const groups = new Map<string, DeadFeature[]>();
  for (const entry of dead) {
    const [family] = entry.name.split('.').at(-1)!.split(' ');
    groups.set(family, [...(groups.get(family) ?? []), entry]);
  }
  return [...groups.values()];
}

/** Names that a finding lists. */
const LISTED = 12;

function finding(family: readonly DeadFeature[], observations: number): Finding {
  const names = family.slice(0, LISTED).map(({ name }) => name);
  if (family.length > LISTED) names.push(`and ${family.length - LISTED} more`);
  const values = [...new Set(family.map(({ value }) => (value === null ? 'never there' : `always ${value}`)))];
  return {
    kind: 'dead-observation',
    where: `observation ${names.join(', ')}`,
    what: `${family.length === 1 ? 'is' : 'are'} ${values.slice(0, LISTED).join(' or ')}, in ${observations} observations under random, held and baseline actions.`,
    why: 'A number that never changes tells the agent nothing, widens every network that reads it, and often hides a measurement that is not connected.',
    advice: 'Connect it to what it is meant to show, or take it out of the observation.',
  };
}
