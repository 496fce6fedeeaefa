import { CoxswainError } from '../../contracts/errors.ts';

/** A number that an environment takes: its range, its default, and what it means to people. */
export interface NumberParameter {
  readonly low: number;
  readonly high: number;
  /** Whether it must be a whole number. Default false. */
  readonly whole?: boolean;
  readonly default: number;
  /** One phrase with the unit; range and default are added. */
  readonly meaning: string;
}

/** The parameters of an environment, by name. */
export type NumberParameters = Readonly<Record<string, NumberParameter>>;

/** A value for each of them. */
export type NumberValues<Parameters extends NumberParameters> = { readonly [Name in keyof Parameters]: number };

/**
 * Checks given parameters and fills in the defaults; `undefined` means the default.
 * @throws CoxswainError ENVIRONMENT_INVALID naming the environment, the parameter, its value and what is allowed.
 */
export function parseNumberParameters<Parameters extends NumberParameters>(
  environment: string,
  parameters: Parameters,
  given: Readonly<Record<string, unknown>>,
): NumberValues<Parameters> {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(parameters, name)) continue;
    throw invalid(environment, `unknown parameter "${name}"; there are: ${Object.keys(parameters).join(', ')}`);
  }
  const values = Object.entries(parameters).map(([name, parameter]) => [
    name,
    given[name] === undefined ? parameter.default : checked(environment, name, parameter, given[name]),
  ]);
  return Object.fromEntries(values) as NumberValues<Parameters>;
}

/** What each parameter means, with range and default: for people and for the registry. */
export function parameterHelp(parameters: NumberParameters): Record<string, string> {
  const entries = Object.entries(parameters).map(([name, { meaning, low, high, default: value }]) => [
    name,
    `${meaning}, ${low} … ${high}. Default ${value}.`,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function checked(environment: string, name: string, { low, high, whole }: NumberParameter, value: unknown): number {
  const fits =
    typeof value === 'number' && value >= low && value <= high && (whole !== true || Number.isInteger(value));
  if (fits) return value;
  const kind = whole === true ? 'whole number' : 'number';
  const shown = JSON.stringify(value) ?? String(value);
  throw invalid(environment, `${name} must be a ${kind} from ${low} to ${high}, not ${shown}`);
}

function invalid(environment: string, message: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `${environment}: ${message}.`);
}
