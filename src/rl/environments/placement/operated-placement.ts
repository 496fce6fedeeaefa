import type {
  Environment,
  EnvironmentDescription,
  EnvironmentState,
  Observation,
  SpaceRow,
  Transition,
} from '../../environment.ts';
import { Generator } from '../../random.ts';
import { choiceAt, stepOutsideEpisode } from '../step-checks.ts';
import { ClusterOperation } from './cluster-operation.ts';
import type { OperationSettings, OperationState } from './cluster-operation.ts';
import { OperationObservation } from './operation-observation.ts';
import type { ScalingParameters } from './options.ts';
import { rewardParts, sumOfParts } from './placement-cost.ts';
import { drawScenario } from './scenario.ts';

/** How an action is taken and what it may be. */
export interface OperationActions {
  readonly name: string;
  /** Choices of each head. */
  readonly choices: readonly number[];
  readonly actionTable: readonly SpaceRow[];
  /** Applies a checked action. */
  apply(action: Int32Array, operation: ClusterOperation, done: ActionsDone): void;
  /** Writes the mask, heads one after the other. */
  mask(mask: Uint8Array, operation: ClusterOperation): void;
}

/** What became of an action. */
export interface ActionsDone {
  added: number;
  removed: number;
  moved: number;
  /** Changes that found no room, or would have left no pod, once those before them were made. */
  refused: number;
}

interface OperatedState {
  readonly steps: number;
  readonly operation: OperationState;
}

/** The environment of a cluster in operation; placement-v2 and placement-v3 differ in their actions and in what happens. */
export class OperatedPlacement implements Environment {
  readonly description: EnvironmentDescription;
  readonly operation: ClusterOperation;
  private readonly parameters: ScalingParameters;
  private readonly moveWeight: number;
  private readonly actions: OperationActions;
  private readonly seen: OperationObservation;
  private readonly actionMask: Uint8Array;
  private readonly chosen: Int32Array;
  private readonly done: ActionsDone = { added: 0, removed: 0, moved: 0, refused: 0 };
  /** Steps played of the episode; −1 before the first reset. */
  private steps = -1;

  constructor(
    parameters: ScalingParameters,
    actions: OperationActions,
    settings: Pick<OperationSettings, 'meanUpSteps' | 'meanDownSteps'> & {
      readonly affinity: boolean;
      readonly moveWeight: number;
    },
  ) {
    this.parameters = parameters;
    this.actions = actions;
    this.moveWeight = settings.moveWeight;
    const scenario = drawScenario({ ...parameters, affinity: settings.affinity });
    this.operation = new ClusterOperation(scenario, { ...parameters, ...settings });
    this.seen = new OperationObservation(this.operation, parameters.maxReplicas, settings.meanUpSteps > 0);
    const { choices, actionTable, name } = actions;
    this.chosen = new Int32Array(choices.length);
    this.actionMask = new Uint8Array(choices.reduce((sum, count) => sum + count, 0));
    const { low, high, table } = this.seen;
    this.description = {
      name,
      observationSpace: { kind: 'box', shape: [low.length], low, high },
      actionSpace: { kind: 'multi-discrete', choices },
      actionMaskSize: this.actionMask.length,
      maxEpisodeSteps: parameters.episodeSteps,
      observationTable: table,
      actionTable,
    };
  }

  reset(seed: number): Observation {
    this.operation.reset(new Generator(seed));
    this.steps = 0;
    return this.observe();
  }

  step(action: Int32Array | Float32Array): Transition {
    const { episodeSteps, lossWeight } = this.parameters;
    const { name, choices } = this.actions;
    if (this.steps < 0 || this.steps >= episodeSteps) throw stepOutsideEpisode(name);
    for (let head = 0; head < choices.length; head++) this.chosen[head] = choiceAt(name, action, head, choices[head]);
    const { done, operation } = this;
    done.added = done.removed = done.moved = done.refused = 0;
    this.actions.apply(this.chosen, operation, done);
    operation.advance();
    this.steps++;
    const { outcome, pods } = operation;
    const parts = rewardParts(outcome, this.parameters);
    const rewardLoss = -lossWeight * outcome.lostShare;
    const rewardMoves = -this.moveWeight * done.moved;
    const seen = this.observe();
    return {
      ...seen,
      reward: sumOfParts(parts) + rewardLoss + rewardMoves,
      terminated: false,
      truncated: this.steps === episodeSteps,
      measures: {
        latencyMilliseconds: outcome.latencyMilliseconds,
        lostShare: outcome.lostShare,
        resourceShare: outcome.resources,
        imbalance: outcome.imbalance,
        requestsPerSecond: outcome.requestsPerSecond,
        pods: sumOf(pods.total),
        workingNodes: sumOf(pods.up),
        lostPods: outcome.lostPods,
        ...done,
        ...parts,
        rewardLoss,
        rewardMoves,
      },
    };
  }

  saveState(): EnvironmentState {
    return { steps: this.steps, operation: this.operation.saveState() } satisfies OperatedState;
  }

  loadState(state: EnvironmentState): Observation {
    const saved = state as OperatedState;
    this.steps = saved.steps;
    this.operation.loadState(saved.operation);
    return this.observe();
  }

  private observe(): Observation {
    this.seen.write();
    this.actions.mask(this.actionMask, this.operation);
    return { observation: this.seen.values, actionMask: this.actionMask };
  }
}

function sumOf(counts: Int32Array | Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i];
  return sum;
}
