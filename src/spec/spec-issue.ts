import type { z } from 'zod';
import { CoxswainError } from '../contracts/errors.ts';
import { nearestName } from '../domain/nearest-name.ts';
import { childOf, fieldNamesAt } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/** One broken rule of a spec. */
export interface SpecIssue {
  /** For example `train.seeds[0]`; empty = the whole spec. */
  readonly path: string;
  /** The value, shortened; `nothing` when the field is missing; `an unknown field`. */
  readonly found: string;
  readonly allowed: string;
  /** The valid name that was probably meant by an unknown one. */
  readonly nearest: string | null;
}

/** SPEC_INVALID with a line for each issue; `details` are the issues. */
export function specInvalid(issues: readonly SpecIssue[]): CoxswainError {
  return new CoxswainError('SPEC_INVALID', issues.map(lineOf).join('\n'), { details: issues });
}

/** The issues that zod found in `input`, one for each path. @param schema what the input was held against */
export function issuesOf(error: z.ZodError, input: unknown, schema: JsonSchema): SpecIssue[] {
  const issues = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownField(schema, input, [...issue.path, key]))
      : [brokenRule(schema, input, issue)],
  );
  return [...new Map(issues.map((issue) => [issue.path, issue])).values()];
}

/** `a.b[0]`, with keys that are no plain names in quotes. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_$][\w$-]*$/.test(name)) return `${text}[${shown(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** A value as messages show it: JSON of at most 80 characters. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function lineOf({ path, found, allowed, nearest }: SpecIssue): string {
  const hint = nearest === null ? '' : `; nearest valid name: ${nearest}`;
  return `${path === '' ? 'the spec' : path}: found ${found}; allowed: ${allowed}${hint}`;
}

function unknownField(schema: JsonSchema, input: unknown, path: readonly PropertyKey[]): SpecIssue {
  const names = fieldNamesAt(schema, input, path.slice(0, -1)) ?? [];
  return {
    path: pathText(path),
    found: 'an unknown field',
    allowed: names.join(', '),
    nearest: nearestName(String(path.at(-1)), names),
  };
}

function brokenRule(schema: JsonSchema, input: unknown, issue: z.core.$ZodIssue): SpecIssue {
  const found = shown(issue.path.reduce<unknown>((value, key) => childOf(value, key), input));
  return { path: pathText(issue.path), found, allowed: allowedBy(schema, issue, input), nearest: null };
}

function allowedBy(schema: JsonSchema, issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options))
    return issue.options.join(' | ');
  if (issue.code !== 'invalid_type' || issue.expected !== 'object') return issue.message;
  const names = fieldNamesAt(schema, input, issue.path);
  return names === null ? issue.message : `an object with the fields ${names.join(', ')}`;
}
