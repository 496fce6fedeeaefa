/** What is added to the diagonal, relative to the largest element, so that columns that depend on each other do no harm. */
const RIDGE = 1e-9;

/**
 * The share of the variance of `targets` that a linear function of the features explains (R² of least squares with an
 * intercept, adjusted for the number of features), 0 … 1; 0 when the targets do not vary or are too few to tell.
 * @param features one row for each target
 */
export function explainedShare(features: readonly (readonly number[])[], targets: readonly number[]): number {
  const columns = centredColumns(features);
  const target = centred(targets);
  const variance = dot(target, target);
  const freedom = targets.length - columns.length - 1;
  if (variance === 0 || columns.length === 0 || freedom < 1) return 0;
  const weights = solve(
    columns.map((a) => columns.map((b) => dot(a, b))),
    columns.map((column) => dot(column, target)),
  );
  const explained = target.map((_, row) => columns.reduce((sum, column, i) => sum + weights[i] * column[row], 0));
  const residual = target.reduce((sum, value, row) => sum + (value - explained[row]) ** 2, 0);
  return Math.max(0, 1 - ((residual / variance) * (targets.length - 1)) / freedom);
}

/** The columns without their means, scaled to length 1; constant ones are left out. */
function centredColumns(rows: readonly (readonly number[])[]): number[][] {
  return rows[0]
    .map((_, column) => centred(rows.map((row) => row[column])))
    .map((column) => {
      const length = Math.sqrt(dot(column, column));
      return length > 0 ? column.map((value) => value / length) : [];
    })
    .filter((column) => column.length > 0);
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Solves a symmetric positive system by Gauss's elimination, a little ridge added. */
function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  const rows = matrix.map((row, i) => [...row.map((value, j) => (i === j ? value + RIDGE : value)), right[i]]);
  for (let pivot = 0; pivot < size; pivot++) {
    for (let row = pivot + 1; row < size; row++) {
      const factor = rows[row][pivot] / rows[pivot][pivot];
      for (let column = pivot; column <= size; column++) rows[row][column] -= factor * rows[pivot][column];
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    let rest = rows[row][size];
    for (let column = row + 1; column < size; column++) rest -= rows[row][column] * solution[column];
    solution[row] = rest / rows[row][row];
  }
  return solution;
}
