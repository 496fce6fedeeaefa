/**
 * Operations that take truth values. TF.js's CPU backend lets the others compute with them as bytes; ONNX does not, and
 * nobody would expect that the sum of two truths is 2.
 */
const takingTruthValues: ReadonlySet<string> = new Set([
  'All',
  'Any',
  'BatchToSpaceND',
  'Cast',
  'Concat',
  'Cumprod',
  'Cumsum',
  'DepthToSpace',
  'Equal',
  'ExpandDims',
  'FlipLeftRight',
  'GatherNd',
  'GatherV2',
  'Greater',
  'GreaterEqual',
  'Identity',
  'IsInf',
  'IsNan',
  'Less',
  'LessEqual',
  'LogicalAnd',
  'LogicalNot',
  'LogicalOr',
  'Mean',
  'MirrorPad',
  'NotEqual',
  'OnesLike',
  'Pack',
  'PadV2',
  'Reshape',
  'ResizeNearestNeighbor',
  'Reverse',
  'Select',
  'Slice',
  'SpaceToBatchND',
  'SplitV',
  'StridedSlice',
  'TensorScatterUpdate',
  'Tile',
  'TopK',
  'Transpose',
  'Unpack',
  'ZerosLike',
]);

/** Whether an operation may be given truth values. */
export function takesTruthValues(kernelName: string): boolean {
  return takingTruthValues.has(kernelName);
}
