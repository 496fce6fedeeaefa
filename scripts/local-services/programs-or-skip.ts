import { obtainHelm } from './obtain-helm.ts';
import { obtainKubeconform } from './obtain-kubeconform.ts';
import { obtainKubernetes } from './obtain-kubernetes.ts';
import { obtainPrometheus } from './obtain-prometheus.ts';

/** What some tests use where it can be had. */
const obtainers = {
  kubernetes: obtainKubernetes,
  prometheus: obtainPrometheus,
  helm: obtainHelm,
  kubeconform: obtainKubeconform,
} as const;

export type OptionalProgram = keyof typeof obtainers;

type ProgramsOf<Name extends OptionalProgram> = Awaited<ReturnType<(typeof obtainers)[Name]>>;

/** Programs, or why the tests that need them are skipped: the option `skip` of node:test. */
export type ProgramsOrSkip<Programs> =
  { readonly programs: Programs; readonly skip: false } | { readonly programs: undefined; readonly skip: string };

export const optionalPrograms = Object.keys(obtainers) as readonly OptionalProgram[];

/**
 * The programs, obtained if need be, or the reason why they cannot be had. Under `npm test` they were obtained before the
 * files run, for each file that calls this, and a failure is not tried again: see {@link obtainForTests}.
 */
export async function programsOrSkip<Name extends OptionalProgram>(
  name: Name,
): Promise<ProgramsOrSkip<ProgramsOf<Name>>> {
  const known = process.env[variableOf(name)];
  if (known) return { programs: undefined, skip: known };
  try {
    return { programs: (await obtainers[name]({ report: console.log })) as ProgramsOf<Name>, skip: false };
  } catch (error) {
    return { programs: undefined, skip: reasonOf(error) };
  }
}

/**
 * Obtains the programs before the tests run, which a build may keep waiting for minutes. Never throws: resolves to the
 * variables that tell the tests' processes what could not be had and why.
 */
export async function obtainForTests(
  names: readonly OptionalProgram[],
  report: (line: string) => void,
): Promise<Readonly<Record<string, string>>> {
  const missing: Record<string, string> = {};
  for (const name of names) {
    try {
      await obtainers[name]({ report });
    } catch (error) {
      missing[variableOf(name)] = reasonOf(error);
      report(`Tests that need ${name} are skipped. ${String(error)}`);
    }
  }
  return missing;
}

function variableOf(name: OptionalProgram): string {
  return `COXSWAIN_TEST_WITHOUT_${name.toUpperCase()}`;
}

/** On one line, as a skip's reason in the summary; "optional:" permits it in any test. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `optional: ${message.replaceAll(/\s*\n\s*/g, ' ')}`;
}
