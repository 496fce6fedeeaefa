import { CoxswainError } from '../../contracts/errors.ts';

/** A parameter of an environment that is a number. */
export interface NumberParameter {
  readonly default: number;
  readonly low: number;
  readonly high: number;
  /** Only whole numbers. Default false. */
  readonly whole?: boolean;
  /** What it means, with its unit; bounds and default are added by {@link parameterHelp}. */
  readonly meaning: string;
}

/** A parameter of an environment that is one of some words. */
export interface ChoiceParameter {
  readonly default: string;
  readonly choices: readonly string[];
  readonly meaning: string;
}

/** The parameters of an environment by name: the one place for default, bounds and help. */
export type ParameterTable = Readonly<Record<string, NumberParameter | ChoiceParameter>>;

/** The values of a table's parameters. */
export type ParameterValues<Table extends ParameterTable> = {
  readonly [Name in keyof Table]: Table[Name] extends ChoiceParameter ? Table[Name]['choices'][number] : number;
};

/**
 * Checks what a RunSpec gives and fills in the defaults. A value that is `undefined` means the default.
 * @throws CoxswainError ENVIRONMENT_INVALID naming the environment, the parameter, its value and what is allowed.
 */
export function parseParameters<Table extends ParameterTable>(
  environment: string,
  table: Table,
  input: Readonly<Record<string, unknown>>,
): ParameterValues<Table> {
  for (const name of Object.keys(input)) {
    if (Object.hasOwn(table, name)) continue;
    const known = Object.keys(table).join(', ') || 'none';
    throw invalid(environment, `unknown parameter "${name}"; there are: ${known}`);
  }
  const entries = Object.entries(table).map(([name, parameter]) => {
    const value = input[name] ?? (input[name] === null ? null : parameter.default);
    if (!isAllowed(parameter, value)) {
      throw invalid(environment, `${name} must be ${allowed(parameter)}, not ${JSON.stringify(value)}`);
    }
    return [name, value];
  });
  return Object.fromEntries(entries) as ParameterValues<Table>;
}

/** Each parameter and what it means, with bounds and default, as an `EnvironmentKind` lists them. */
export function parameterHelp(table: ParameterTable): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(table).map(([name, parameter]) => [
      name,
      `${parameter.meaning}, ${bounds(parameter)}. Default ${parameter.default}.`,
    ]),
  );
}

function isAllowed(parameter: NumberParameter | ChoiceParameter, value: unknown): boolean {
  if ('choices' in parameter) return parameter.choices.includes(value as string);
  const { low, high, whole = false } = parameter;
  return typeof value === 'number' && value >= low && value <= high && (!whole || Number.isInteger(value));
}

function allowed(parameter: NumberParameter | ChoiceParameter): string {
  if ('choices' in parameter) return `one of ${parameter.choices.join(', ')}`;
  return `a ${parameter.whole === true ? 'whole ' : ''}number from ${parameter.low} to ${parameter.high}`;
}

function bounds(parameter: NumberParameter | ChoiceParameter): string {
  return 'choices' in parameter ? parameter.choices.join(' or ') : `${parameter.low} … ${parameter.high}`;
}

function invalid(environment: string, message: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `${environment}: ${message}.`);
}
