import * as tf from '@tensorflow/tfjs-core';
import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';

/** What the derivative of an operation may use. */
export interface GradientContext {
  /** The operation's inputs by name. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** The operation's first output. */
  readonly output: Tensor;
  /** All outputs that the gradient keeps. */
  readonly outputs: readonly Tensor[];
  readonly attributes: NamedAttrMap;
}

/**
 * The derivative of an operation.
 * @param dy the gradient of the result with respect to the operation's output; a list for operations with several.
 * @returns for each input a function that gives the result's gradient with respect to it; only those needed are called.
 */
export type Gradient = (dy: Tensor & Tensor[], context: GradientContext) => Record<string, () => Tensor>;

/** What an operation's gradient needs and does. */
export interface GradientEntry {
  /** Names of the inputs to keep; `all` for operations with any number of them. Default none. */
  readonly keep?: readonly string[] | 'all';
  /** How many outputs to keep, from the first. Default one. */
  readonly keepOutputs?: number;
  readonly gradient: Gradient;
}

/** Gradients by the name of the operation in TF.js. */
export type GradientFamily = Readonly<Record<string, GradientEntry>>;

/** Tells TF.js the gradient of an operation. */
export function registerGradient(kernelName: string, { keep = [], keepOutputs = 1, gradient }: GradientEntry): void {
  tf.registerGradient({
    kernelName,
    ...(keep === 'all' ? { saveAllInputs: true } : { inputsToSave: [...keep] }),
    outputsToSave: new Array<boolean>(keepOutputs).fill(true),
    gradFunc: (dy, saved, attributes) => {
      const outputs = saved.slice(saved.length - keepOutputs);
      const names = keep === 'all' ? saved.slice(0, -keepOutputs).map((_, index) => String(index)) : keep;
      const inputs = Object.fromEntries(names.map((name, index) => [name, saved[index]]));
      return gradient(dy as Tensor & Tensor[], { inputs, output: outputs[0], outputs, attributes });
    },
  });
}

/** Sums a gradient over the axes along which an operand of shape `shape` was broadcast, be it to no elements. */
export function sumToShape(gradient: Tensor, shape: number[]): Tensor {
  const added = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((length, axis) =>
    axis < added || (shape[axis - added] === 1 && length !== 1) ? [axis] : [],
  );
  return axes.length > 0 ? tf.reshape(tf.sum(gradient, axes), shape) : gradient;
}

/** The same value along all axes where `x` has one place. TF.js's own function leaves one place where there should be none. */
export function broadcastTo(x: Tensor, shape: number[]): Tensor {
  return shape.includes(0) ? tf.zeros(shape) : tf.broadcastTo(x, shape);
}

/** A gradient where `condition` holds, else zero. */
export function onlyWhere(condition: Tensor, gradient: Tensor): Tensor {
  return tf.where(condition, gradient, tf.scalar(0));
}

/** The gradient of an input that nothing depends on smoothly. */
export function noGradient(x: Tensor): Tensor {
  return tf.zeros(x.shape);
}
