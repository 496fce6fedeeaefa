import type { RunSpec } from '../contracts/run-spec.ts';
import { stepNames } from '../contracts/runs.ts';
import type { StepName } from '../contracts/runs.ts';

/** Environments that are fitted to the recording of a cluster. */
const twinEnvironments: readonly string[] = ['twin', 'twin-graph'];

/** Steps that only some specs ask for, and when they do. A run may be older than a field of its spec. */
const optionalSteps: Partial<Record<StepName, (spec: Partial<RunSpec>) => boolean>> = {
  fit: ({ environment }) => environment !== undefined && twinEnvironments.includes(environment.name),
  deploy: ({ deploy }) => deploy != null,
};

/** The steps of a run, in order. @param spec null while it is not known, or was refused: then only those of every run. */
export function plannedSteps(spec: RunSpec | null): readonly StepName[] {
  return stepNames.filter((name) => {
    const isAskedFor = optionalSteps[name];
    return isAskedFor === undefined || (spec !== null && isAskedFor(spec));
  });
}
