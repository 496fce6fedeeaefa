import { CoxswainError } from '../contracts/errors.ts';
import { assertJsonShape } from './json-shape.ts';
import { childOf } from './json-schema.ts';

/**
 * A copy of a raw spec with values set by `path=value`, for example `train.seeds=[1,2]`, `train.seeds[0]=7` or
 * `collect.source.days=2`. A value that is JSON counts as that, anything else as text; quotes force text
 * (`gitSha="1234567"`). Objects on the way are made. The result is not yet checked against the schema.
 * @throws CoxswainError SPEC_INVALID naming the override whose form is wrong or whose path leads through a value that is
 * no object or list.
 */
export function applyOverrides(input: unknown, overrides: readonly string[]): unknown {
  assertJsonShape(input);
  const root = { spec: structuredClone(input ?? {}) };
  for (const override of overrides) applyOverride(root, override);
  return root.spec;
}

function applyOverride(root: { spec: unknown }, override: string): void {
  const form = /^([^=\s]+)=([^]*)$/.exec(override);
  const path = form && parsePath(form[1]);
  if (!path) throw refused(override, 'expected path=value, for example train.totalSteps=50000');
  let holder: object = root;
  let key: string | number = 'spec';
  for (const next of path) {
    const child: unknown = childOf(holder, key) ?? {};
    if (typeof child !== 'object' || child === null)
      throw refused(override, `${key} holds a single value, so nothing is inside it`);
    if (Array.isArray(child) !== (typeof next === 'number')) throw refused(override, `${key} is ${kindOf(child)}`);
    if (typeof next === 'number' && next > (child as unknown[]).length)
      throw refused(override, `no place [${next}] yet`);
    Reflect.set(holder, key, child);
    [holder, key] = [child, next];
  }
  Reflect.set(holder, key, valueOf(form[2]));
}

/** `a.b[0].c` or `a.b.0.c` as keys; null when it has no such form. */
function parsePath(text: string): (string | number)[] | null {
  const parts = text.replace(/\[(\d{1,6})\]/g, '.$1').split('.');
  if (!parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part) && part !== '__proto__')) return null;
  return parts.map((part) => (/^\d{1,6}$/.test(part) ? Number(part) : part));
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'a list: name a place, such as [0]' : 'an object: name a field';
}

function refused(override: string, reason: string): CoxswainError {
  return new CoxswainError('SPEC_INVALID', `--set ${override}: ${reason}`, { details: [] });
}
