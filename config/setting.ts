import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Secret } from './secret.ts';

/** The variables that settings are read from, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One variable: how its text becomes a value, and what people must know about it. */
export interface Setting<Value, Fallback extends string | null> {
  /** Turns the text into the value; must refuse what is not allowed. */
  readonly schema: z.ZodType<Value, string>;
  /** Text that is used when the variable is unset or empty; null leaves the value null. */
  readonly fallback: Fallback;
  /** What is allowed, as the end of a sentence. */
  readonly allowed: string;
  /** What the setting does. */
  readonly help: string;
  /** Says what an unset variable means, where that is more than the fallback's text. */
  readonly whenUnset?: string;
  /** A secret's value is never shown and may come from a file named by `<VARIABLE>_FILE`. */
  readonly secret?: boolean;
}

/** The value of a setting: null is possible only without a fallback. */
export type SettingValue<S> =
  S extends Setting<infer Value, infer Fallback> ? (Fallback extends null ? Value | null : Value) : never;

/** Keeps the precise types of a setting's declaration. */
export function setting<Value, Fallback extends string | null>(
  declaration: Setting<Value, Fallback>,
): Setting<Value, Fallback> {
  return declaration;
}

/** A setting whose value is a {@link Secret} of at least `minLength` characters. Default: unset, at least 1. */
export function secretSetting(help: string, options: { minLength?: number; whenUnset?: string } = {}) {
  const { minLength = 1, whenUnset } = options;
  return setting({
    schema: z
      .string()
      .min(minLength)
      .transform((text) => new Secret(text)),
    fallback: null,
    allowed: minLength > 1 ? `text of at least ${minLength} characters` : 'any text',
    help,
    whenUnset,
    secret: true,
  });
}

/** What came out for one variable: its value, or the sentence that says what is wrong. */
export type SettingOutcome<Value> = { readonly value: Value } | { readonly problem: string };

/** Reads one variable and checks it. */
export function readSetting<Value, Fallback extends string | null>(
  name: string,
  declaration: Setting<Value, Fallback>,
  environment: Environment,
): SettingOutcome<Value | null> {
  const found = textOf(name, declaration.secret === true, environment);
  if ('problem' in found) return found;
  const text = found.value ?? declaration.fallback;
  if (text === null) return { value: null };
  const parsed = declaration.schema.safeParse(text);
  if (parsed.success) return { value: renewable(parsed.data, secretFile(name, environment)) };
  const shown = declaration.secret ? 'a value that is not shown' : JSON.stringify(withoutCredentials(text));
  return { problem: `${name}: found ${shown}; allowed: ${declaration.allowed}` };
}

/** A secret from a file can be read again. */
function renewable<Value>(value: Value, file: string | null): Value {
  if (!(value instanceof Secret) || file === null) return value;
  const renewed = (): string | null => {
    const outcome = readTextFile('', file, '');
    return 'value' in outcome ? outcome.value : null;
  };
  return new Secret(value.reveal(), renewed) as Value & Secret;
}

function secretFile(name: string, environment: Environment): string | null {
  return environment[`${name}_FILE`] || null;
}

/** Somebody may have put a password into a URL that allows none; the message must not repeat it. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/@]*@/g, '//***@');
}

function textOf(name: string, secret: boolean, environment: Environment): SettingOutcome<string | null> {
  const direct = environment[name] || null;
  const file = secret ? secretFile(name, environment) : null;
  if (file === null) return { value: direct };
  if (direct !== null) return { problem: `${name}: found together with ${name}_FILE; set only one of them` };
  return readTextFile(`${name}_FILE`, file, 'a readable file that holds nothing but the secret');
}

/** The text of a file without the line break at its end, or a sentence that names the variable and the file. */
export function readTextFile(variable: string, path: string, allowed: string): SettingOutcome<string> {
  try {
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    return text === '' ? { problem: `${variable}: the file ${path} is empty; allowed: ${allowed}` } : { value: text };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { problem: `${variable}: cannot read ${path} (${reason}); allowed: ${allowed}` };
  }
}
