import { CoxswainError } from '../contracts/errors.ts';
import { nearestName } from '../domain/nearest-name.ts';

/** What a hyperparameter may be: a test and the same in words. */
export interface Rule {
  readonly allowed: string;
  readonly holds: (value: unknown) => boolean;
}

/** A hyperparameter: what it is when nothing is said, what it may be, and what it does. */
export interface Hyperparameter<T> {
  readonly default: T;
  readonly rule: Rule;
  /** One or two sentences, with unit and source where there is one. */
  readonly meaning: string;
}

/** The hyperparameters of an algorithm by name. */
export type HyperparameterTable = Readonly<Record<string, Hyperparameter<unknown>>>;

/** The configuration that a table describes: a value for every name. */
export type ConfigOf<Table extends HyperparameterTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Hyperparameter<infer T> ? T : never;
};

/** An entry of a {@link HyperparameterTable}. Give the type where the default is narrower than what is allowed. */
export function hyperparameter<T>(defaultValue: T, rule: Rule, meaning: string): Hyperparameter<T> {
  return { default: defaultValue, rule, meaning };
}

/** A finite number from `low` to `high`; an excluded bound is marked by `above`. */
export function number(low: number, high: number, { above = false } = {}): Rule {
  const allowed = `a number ${above ? 'above' : 'from'} ${low}${high === Infinity ? ' up' : ` to ${high}`}`;
  return { allowed, holds: (value) => isNumber(value) && (above ? value > low : value >= low) && value <= high };
}

/** A whole number from `low` to `high`. */
export function integer(low: number, high: number): Rule {
  return {
    allowed: `a whole number from ${low} to ${high}`,
    holds: (value) => isNumber(value) && Number.isInteger(value) && value >= low && value <= high,
  };
}

/** One of some texts. */
export function oneOf(...values: readonly string[]): Rule {
  return { allowed: `one of ${values.join(', ')}`, holds: (value) => values.includes(value as string) };
}

export const flag: Rule = { allowed: 'true or false', holds: (value) => typeof value === 'boolean' };

/** What `rule` allows, or null. */
export function optional({ allowed, holds }: Rule): Rule {
  return { allowed: `${allowed}, or null`, holds: (value) => value === null || holds(value) };
}

/** A list of `low` to `high` elements that `rule` allows. */
export function listOf({ allowed, holds }: Rule, low: number, high: number): Rule {
  return {
    allowed: `a list of ${low} to ${high} entries, each ${allowed}`,
    holds: (value) => Array.isArray(value) && value.length >= low && value.length <= high && value.every(holds),
  };
}

/**
 * A complete configuration: the table's defaults with the given values in place.
 * @param what the configuration's name for messages.
 * @throws CoxswainError SPEC_INVALID listing every unknown name (with the nearest valid one) and every value that its rule
 * does not allow.
 */
export function parseHyperparameters<Table extends HyperparameterTable>(
  what: string,
  given: unknown,
  table: Table,
): ConfigOf<Table> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new CoxswainError('SPEC_INVALID', `${what}: found ${JSON.stringify(given)}; allowed: an object.`);
  }
  const issues = Object.entries(given).flatMap(([name, value]) => issueOf(name, value, table));
  if (issues.length > 0) throw new CoxswainError('SPEC_INVALID', `${what}: ${issues.join('; ')}`);
  const defaults = Object.entries(table).map(([name, { default: value }]) => [name, value]);
  return { ...Object.fromEntries(defaults), ...given } as ConfigOf<Table>;
}

function issueOf(name: string, value: unknown, table: HyperparameterTable): string[] {
  if (!Object.hasOwn(table, name)) {
    const names = Object.keys(table);
    const nearest = nearestName(name, names);
    return [`${name} is unknown; ${nearest ? `nearest valid name: ${nearest}` : `allowed: ${names.join(', ')}`}`];
  }
  const { allowed, holds } = table[name].rule;
  return holds(value) ? [] : [`${name}: found ${inWords(value)}; allowed: ${allowed}`];
}

/** As JSON, but for numbers that JSON would turn into null. */
function inWords(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
