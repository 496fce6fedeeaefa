import type { Graph, Node } from './graph.ts';
import { checkState, dataPorts, prefixed, withPrefix } from './loop-feeds.ts';
import { portsOf } from './ports.ts';
import { trace } from './trace.ts';
import type { InputSpec } from './trace.ts';
import type { UpdateLoopSpec } from './update-loop.ts';

/** The graph around the loop: all samples and schedules come in, the last state and all outputs go out. */
export function loopGraph(spec: UpdateLoopSpec): Graph {
  const body = bodyGraph(spec);
  const states = Object.keys(spec.state);
  const collected = body.outputs.slice(1 + states.length);
  const loop: Node = {
    operator: 'Loop',
    inputs: ['trips', 'always', ...states.map((name) => `initial.${name}`)],
    outputs: [...states.map((name) => `final.${name}`), ...collected.map(({ name }) => name.replace('out.', 'all.'))],
    attributes: { body: { graph: body } },
  };
  return {
    inputs: [
      ...dataPorts(spec),
      { name: 'starts', type: 'int32', shape: ['iterations', 1] },
      { name: 'ends', type: 'int32', shape: ['iterations', 1] },
    ],
    outputs: [
      ...portsOf(spec.state, 'final.'),
      ...collected.map((port) => ({
        ...port,
        name: port.name.replace('out.', 'all.'),
        shape: ['made', ...port.shape!],
      })),
    ],
    constants: [
      { name: 'always', type: 'bool', shape: [], values: [1] },
      { name: 'first_axis', type: 'int64', shape: [1], values: [0] },
    ],
    nodes: [
      { operator: 'Shape', inputs: ['starts'], outputs: ['trip_vector'], attributes: { start: 0, end: 1 } },
      { operator: 'Squeeze', inputs: ['trip_vector', 'first_axis'], outputs: ['trips'], attributes: {} },
      loop,
    ],
  };
}

/** One iteration: pick the rows, then the user's program. */
function bodyGraph(spec: UpdateLoopSpec): Graph {
  const program = traceIteration(spec);
  const names = (specs: Readonly<Record<string, InputSpec>> = {}): string[] => Object.keys(specs);
  const picked: Node[] = [
    gather('starts', 'iteration', 'start'),
    gather('ends', 'iteration', 'end'),
    slice('order', 'rows'),
    ...names(spec.samples).map((name) => gather(`samples.${name}`, 'rows', `batch.${name}`)),
    ...names(spec.picks).map((name) => slice(`picks.${name}`, `batch.${name}`)),
    ...names(spec.schedule).map((name) => gather(`schedules.${name}`, 'iteration', `schedule.${name}`)),
  ];
  const goOn = program.outputs.some(({ name }) => name === 'go_on');
  const keepOn: Node = { operator: 'Identity', inputs: ['before'], outputs: ['go_on'], attributes: {} };
  return {
    inputs: [
      { name: 'iteration', type: 'int64', shape: [] },
      { name: 'before', type: 'bool', shape: [] },
      ...portsOf(spec.state, 'state.'),
    ],
    outputs: [
      { name: 'go_on', type: 'bool', shape: [] },
      ...portsOf(spec.state, 'next.'),
      ...program.outputs.filter(({ name }) => name.startsWith('out.')),
    ],
    constants: program.constants,
    nodes: [...picked, ...program.nodes, ...(goOn ? [] : [keepOn])],
  };
}

/** The part of `data` that belongs to this iteration's minibatch. */
function slice(data: string, output: string): Node {
  return { operator: 'Slice', inputs: [data, 'start', 'end'], outputs: [output], attributes: {} };
}

function gather(data: string, index: string, output: string): Node {
  return { operator: 'Gather', inputs: [data, index], outputs: [output], attributes: { axis: 0 } };
}

function traceIteration(spec: UpdateLoopSpec): Graph {
  const inputs: Record<string, InputSpec> = {
    ...prefixed('state.', spec.state),
    ...prefixed('batch.', batched({ ...spec.samples, ...spec.picks })),
    ...prefixed('schedule.', spec.schedule ?? {}),
  };
  return trace((tensors) => {
    const { state, outputs, goOn } = spec.iteration({
      state: withPrefix('state.', tensors),
      batch: withPrefix('batch.', tensors),
      schedule: withPrefix('schedule.', tensors),
    });
    checkState(spec, state);
    return { ...prefixed('next.', state), ...prefixed('out.', outputs), ...(goOn ? { go_on: goOn } : {}) };
  }, inputs);
}

/** Shapes with the batch axis in front. */
function batched(specs: Readonly<Record<string, InputSpec>>): Record<string, InputSpec> {
  const entries = Object.entries(specs);
  return Object.fromEntries(entries.map(([name, spec]) => [name, { ...spec, shape: ['batch', ...spec.shape] }]));
}
