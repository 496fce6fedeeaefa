import type { Tensor } from 'onnxruntime-node';

import type { Values } from './loaded-model.ts';
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
  /** Elements for each unit of the open length. */
  private readonly unit: number;
  private readonly openLengths: readonly string[];
  private values: Values | null = null;
  private bound: Tensor | null = null;

  constructor(session: Session, role: 'Input' | 'Output', port: SessionPort) {
    this.session = session;
    this.role = role;
    this.port = port;
    this.name = port.name;
    const known = port.shape.filter((length) => typeof length === 'number');
    this.unit = known.reduce((product, length) => product * length, 1);
    this.openLengths = port.shape.filter((length) => typeof length === 'string');
    this.openName = this.openLengths[0] ?? '';
  }

  /**
   * The tensor over the memory of `values`; the same one when the same array is given again.
   * @throws Error when there are no values, or their number or type does not fit.
   */
  tensor(values: Values | undefined): Tensor {
    if (values && values === this.values && values.length === this.bound!.size) return this.bound!;
    if (!values) throw new Error(`${this.role} ${this.name} of a model is missing.`);
    this.bound = this.bind(values);
    this.values = values;
    return this.bound;
  }

  private bind(values: Values): Tensor {
    const shape = this.lengths(values.length);
    try {
      return this.session.tensor(this.port.type, values, shape);
    } catch (cause) {
      const given = values.constructor.name;
      throw new Error(`${this.role} ${this.name} of a model is of type ${this.port.type}, not ${given}.`, { cause });
    }
  }

  /** The shape with the open length worked out from the number of values. */
  private lengths(count: number): number[] {
    const { shape } = this.port;
    const length = this.openLengths.length === 1 && this.unit > 0 ? count / this.unit : 1;
    if (this.openLengths.length > 1 || !Number.isInteger(length) || length * this.unit !== count) {
      throw new Error(
        `${this.role} ${this.name} of a model has ${count} values for shape [${shape.join(', ')}]; at most one length may be open.`,
      );
    }
    this.openLength = length;
    return shape.map((dimension) => (typeof dimension === 'number' ? dimension : length));
  }
}
