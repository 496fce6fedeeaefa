import type { ControlMemory, ControlState, DeploymentRecord, GuardedProposal } from '../contracts/control.ts';
import type {
  PlacementDecision,
  PlacementMemory,
  PlacementObservation,
  PlacementSpec,
} from '../contracts/placement.ts';
import { guardPlacement } from '../domain/placement/placement-guard.ts';
import { noPlacementYet, placementAfter, stuckAfterSteps } from '../domain/placement/placement-progress.ts';
import { proposePlacement } from '../domain/placement/propose-placement.ts';
import { placementOf } from './observe-placement.ts';

/** What the placement of a step is decided from. */
export interface PlacementInput {
  readonly state: ControlState;
  readonly at: Date;
  /** Null when cluster or nodes could not be read. */
  readonly observation: PlacementObservation | null;
  /** What the same step permits of replicas. */
  readonly scaled: readonly GuardedProposal[];
  readonly memory: ControlMemory;
}

/** A decision, and what is remembered after it. */
export interface DecidedPlacement {
  readonly placement: PlacementDecision;
  readonly memory: readonly PlacementMemory[];
}

/** The placement of a step: a function of its input, as {@link decideStep} is. Null in a deployment that does not place. */
export function decidePlacement(record: DeploymentRecord, input: PlacementInput): DecidedPlacement | null {
  const spec = placementOf(record);
  if (spec === null) return null;
  const before = record.services.map((_, s) => input.memory.placement?.[s] ?? noPlacementYet);
  const { observation } = input;
  if (observation === null) {
    return { placement: { observation, guarded: [], finished: [], stuck: [] }, memory: before };
  }
  return decideOn(observation, record, spec, input, before);
}

function decideOn(
  observation: PlacementObservation,
  record: DeploymentRecord,
  spec: PlacementSpec,
  { state, at, scaled }: PlacementInput,
  before: readonly PlacementMemory[],
): DecidedPlacement {
  const names = record.services.map(({ workload }) => workload);
  const { frozen, maxObservationAgeSteps } = record.spec.guard;
  const { movesPerStep, coolDownSeconds } = spec;
  const rules = { workloads: names, frozen, maxObservationAgeSteps, movesPerStep, coolDownSeconds };
  const guarded = guardPlacement(proposePlacement(observation), observation, rules, {
    at,
    stepSeconds: record.spec.intervalSeconds,
    paused: state.paused,
    scaling: scaled.flatMap((one) => (one.permitted === one.before ? [] : [one.workload])),
    changedAt: new Map(
      before.flatMap(({ changedAt }, s) => (changedAt === null ? [] : [[names[s], new Date(changedAt)] as const])),
    ),
  });
  const acts = state.mode === 'live';
  const decided = names.map((workload) => guarded.find(({ proposal }) => proposal.workload === workload) ?? null);
  const memory = before.map((one, s) => {
    const observed = observation.workloads[s];
    return observed === null ? one : placementAfter(one, observed, decided[s], { at, acts });
  });
  const isFinished = (s: number): boolean => acts && before[s].due && !memory[s].due;
  const isStuck = (s: number): boolean =>
    memory[s].stuckSteps >= stuckAfterSteps && memory[s].stuckSteps > before[s].stuckSteps;
  return {
    placement: {
      observation,
      guarded,
      finished: names.filter((_, s) => isFinished(s)),
      stuck: names.flatMap((workload, s) =>
        isStuck(s) ? [{ workload, steps: memory[s].stuckSteps, detail: decided[s]!.detail }] : [],
      ),
    },
    memory,
  };
}

/** What of a placement people should read beside the step. */
export function placementNotes({ stuck, guarded }: PlacementDecision): string[] {
  return stuck.map(({ workload, steps, detail }) => {
    const proposal = guarded.find((one) => one.proposal.workload === workload)!.proposal;
    const what = proposal.kind === 'move' ? `moved away from ${proposal.node}` : 'placed';
    return `${workload}: its pods could not be ${what} for ${steps} steps: ${detail}`;
  });
}
