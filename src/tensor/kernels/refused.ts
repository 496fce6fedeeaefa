/** Why an operation of TF.js cannot be compiled, and what to do. */
export interface Refusal {
  readonly reason: string;
  readonly instead: string;
}

const dataDependent = (instead: string): Refusal => ({
  reason: 'the shape of its result depends on values, which are known only when the compiled program runs',
  instead,
});
const ofMasks = 'keep the shape and use a mask: multiply by it, or tf.where with it';
const text: Refusal = { reason: 'it works on texts', instead: 'turn texts into numbers before the program' };
const complex: Refusal = {
  reason: 'it works on complex numbers',
  instead: 'carry the real and the imaginary part as two tensors',
};
const browser: Refusal = { reason: 'it needs a browser', instead: 'pass the pixels as an input' };
const unused = (made: string): Refusal => ({ reason: 'no function of TF.js runs it', instead: made });
const pictures: Refusal = {
  reason: 'it picks pixels by coordinates that are computed',
  instead: 'prepare images before the program',
};
const local: Refusal = {
  reason: 'it is a normalisation that newer models do not use',
  instead: 'normalise with tf.batchNorm, or with tf.moments over the channels',
};
const morphology: Refusal = {
  reason: 'ONNX has no such convolution',
  instead: 'use tf.maxPool, which is the same with a flat filter',
};

/** Operations of TF.js that are refused; every other is in one of the families. */
export const refusedKernels: Readonly<Record<string, Refusal>> = {
  Multinomial: {
    reason: 'it draws random numbers, which a compiled program would repeat at every run',
    instead: 'pass uniform random numbers u as an input and take tf.argMax(logits − ln(−ln u))',
  },
  NonMaxSuppressionV3: dataDependent(ofMasks),
  NonMaxSuppressionV4: dataDependent(ofMasks),
  NonMaxSuppressionV5: dataDependent(ofMasks),
  Unique: dataDependent('compare all with all by broadcasting, or count with tf.bincount'),
  RaggedGather: dataDependent('pad rows to one length and carry a mask'),
  RaggedRange: dataDependent('pad rows to one length and carry a mask'),
  RaggedTensorToTensor: dataDependent('pad rows to one length and carry a mask'),
  SparseFillEmptyRows: dataDependent('use dense tensors and masks'),
  SparseReshape: dataDependent('use dense tensors and masks'),
  SparseSegmentMean: dataDependent('use tf.unsortedSegmentSum with a number of segments, and divide by their sizes'),
  SparseSegmentSum: dataDependent('use tf.unsortedSegmentSum with a number of segments'),
  BroadcastArgs: { reason: 'it computes shapes, which are fixed here', instead: 'use tf.broadcastTo' },
  StaticRegexReplace: text,
  StringNGrams: text,
  StringSplit: text,
  StringToHashBucketFast: text,
  Complex: complex,
  ComplexAbs: complex,
  Real: complex,
  Imag: complex,
  FFT: complex,
  IFFT: complex,
  FromPixels: browser,
  Draw: browser,
  CropAndResize: pictures,
  RotateWithOffset: pictures,
  Transform: pictures,
  LRN: local,
  LRNGrad: local,
  Dilation2D: morphology,
  Dilation2DBackpropInput: morphology,
  Dilation2DBackpropFilter: morphology,
  BroadcastTo: unused('tf.broadcastTo is recorded as Tile'),
  LogicalXor: unused('tf.logicalXor is recorded as LogicalAnd, LogicalOr and LogicalNot'),
  LowerBound: unused('tf.lowerBound is recorded as SearchSorted'),
  UpperBound: unused('tf.upperBound is recorded as SearchSorted'),
  MatrixBandPart: unused('tf.linalg.bandPart is recorded as comparisons and Select'),
  Pool: unused('tf.pool is recorded as MaxPool or AvgPool'),
};

/** Functions of TF.js that draw random numbers without an operation of their own. */
export const randomFunctions: ReadonlySet<string> = new Set([
  'rand',
  'randomGamma',
  'randomNormal',
  'randomStandardNormal',
  'randomUniform',
  'randomUniformInt',
  'truncatedNormal',
]);
