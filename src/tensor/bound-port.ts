import type { Tensor } from 'onnxruntime-node';

import type { Dimension } from './graph.ts';
import type { Values } from './loaded-model.ts';
import { lengthsOf, openName } from './port-lengths.ts';
import type { Session, SessionPort } from './runtime.ts';

/** An input or output of a session with the array that was last given for it. */
export class BoundPort {
  readonly name: string;
  /** The name of the length that follows from the number of values; empty when there is none. */
  readonly openName: string;
  /** That length in the values that were last given. */
  openLength = 1;
  private readonly session: Session;
  private readonly role: 'Input' | 'Output';
  private readonly port: SessionPort;
  private values: Values | null = null;
  private bound: Tensor | null = null;

  constructor(session: Session, role: 'Input' | 'Output', port: SessionPort) {
    this.session = session;
    this.role = role;
    this.port = port;
    this.name = port.name;
    this.openName = openName(port.shape);
  }

  /**
   * The tensor over the memory of `values`; the same one when the same array is given again.
   * @throws Error when there are no values, or their number or type does not fit.
   */
  tensor(values: Values | undefined): Tensor {
    // An array whose memory was given away since has another length.
    if (values && values === this.values && values.length === this.bound!.size) return this.bound!;
    if (!values) throw new Error(`${this.role} ${this.name} of a model is missing.`);
    this.bound = this.bind(values);
    this.values = values;
    return this.bound;
  }

  /** The lengths as the model says them. */
  get shape(): readonly Dimension[] {
    return this.port.shape;
  }

  /** The tensor over the memory of `values` in a shape that was worked out from other ports. */
  tensorOf(values: Values, shape: number[]): Tensor {
    const what = `${this.role} ${this.name}`;
    try {
      return this.session.tensor(this.port.type, values, shape);
    } catch (cause) {
      throw new Error(`${what} of a model is of type ${this.port.type}, not ${values.constructor.name}.`, { cause });
    }
  }

  private bind(values: Values): Tensor {
    const { shape, open } = lengthsOf(`${this.role} ${this.name}`, this.port.shape, values.length);
    this.openLength = open;
    return this.tensorOf(values, shape);
  }
}
