import type { LabelSelector, MatchExpression } from './api-objects.ts';

type Labels = Readonly<Record<string, string>>;

/** True when the labels fit the selector. An empty one fits everything, one that is missing nothing. */
export function selects(selector: LabelSelector | null | undefined, labels: Labels): boolean {
  if (selector === null || selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((expression) => holds(expression, labels))
  );
}

/** An operator that is not known counts as fitting: a budget is respected rather than overlooked. */
function holds({ key, operator, values = [] }: MatchExpression, labels: Labels): boolean {
  const present = Object.hasOwn(labels, key);
  switch (operator) {
    case 'Exists':
      return present;
    case 'DoesNotExist':
      return !present;
    case 'In':
      return present && values.includes(labels[key]);
    case 'NotIn':
      return !present || !values.includes(labels[key]);
    default:
      return true;
  }
}
