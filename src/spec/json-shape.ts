import { pathText, specInvalid } from './spec-issue.ts';

const maxDepth = 32;
const maxValues = 20_000;

/**
 * Refuses what no RunSpec needs and what would exhaust a recursive reader: nesting beyond 32 levels (also cycles, which
 * YAML aliases can make), more than 20 000 values, `__proto__` as a name, and anything that JSON cannot hold.
 * @throws CoxswainError SPEC_INVALID.
 */
export function assertJsonShape(input: unknown): void {
  const open: { value: unknown; path: readonly PropertyKey[] }[] = [{ value: input, path: [] }];
  for (let count = 1; open.length > 0; count++) {
    const { value, path } = open.pop()!;
    if (count > maxValues) throw refused([], 'more values', `at most ${maxValues} values`);
    if (typeof value !== 'object' || value === null) assertScalar(value, path);
    else if (path.length >= maxDepth) throw refused(path.slice(0, 4), 'deeper nesting', `at most ${maxDepth} levels`);
    else open.push(...childrenOf(value, path));
  }
}

function childrenOf(value: object, path: readonly PropertyKey[]): { value: unknown; path: PropertyKey[] }[] {
  if (Array.isArray(value)) return value.map((child: unknown, index) => ({ value: child, path: [...path, index] }));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused(path, 'no JSON value', 'JSON values');
  if (Object.hasOwn(value, '__proto__')) throw refused([...path, '__proto__'], 'an unknown field', 'other names');
  return Object.entries(value).map(([key, child]: [string, unknown]) => ({ value: child, path: [...path, key] }));
}

function assertScalar(value: unknown, path: readonly PropertyKey[]): void {
  const isJson = value === null || ['string', 'boolean', 'undefined'].includes(typeof value) || Number.isFinite(value);
  if (!isJson) throw refused(path, String(value), 'JSON values');
}

function refused(path: readonly PropertyKey[], found: string, allowed: string) {
  return specInvalid([{ path: pathText(path), found, allowed, nearest: null }]);
}
