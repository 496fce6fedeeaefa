import { CoxswainError } from '../contracts/errors.ts';
import type { DeviceName } from '../tensor/device.ts';
import type { Agent } from './agent.ts';
import type { EnvironmentDescription, Space } from './environment.ts';
import { parseHyperparameters } from './hyperparameters.ts';
import type { ConfigOf, HyperparameterTable } from './hyperparameters.ts';
import type { Learner } from './learner.ts';
import { algorithmError, LearningAgent } from './learning-agent.ts';
import type { Generator } from './random.ts';
import { toolbox } from './toolbox.ts';
import type { Toolbox } from './toolbox.ts';

/** How a process of its own can make one of the environments: for algorithms whose actors run side by side. */
export interface EnvironmentRecipe {
  /** Address (file: URL) of a module. */
  readonly module: string;
  /** Name of a function that it exports; it is called with `options` and gives an Environment. */
  readonly factory: string;
  /** Plain data and typed arrays: what structured cloning carries. */
  readonly options: unknown;
}

/** What an agent is set up with. */
export interface AgentSetup {
  readonly environment: EnvironmentDescription;
  /** Number of environments that it acts in side by side. */
  readonly environments: number;
  /** Whatever is random in the agent follows from it. */
  readonly generator: Generator;
  /** Where updates run. */
  readonly device: DeviceName;
  /** Null when the environments can be stepped in this process only. */
  readonly recipe: EnvironmentRecipe | null;
}

/** An algorithm that a RunSpec can name. */
export interface Algorithm<Config extends object = object> {
  /** Lower case with dashes. */
  readonly name: string;
  /** One sentence for people who choose. */
  readonly summary: string;
  /** Kinds of action space that it acts in. */
  readonly actionSpaces: readonly Space['kind'][];
  /** Whether it keeps to action masks; one that does not is refused for environments that mask. */
  readonly masks: boolean;
  /** True when it acts only where the observation is a graph (`EnvironmentDescription.graph`). */
  readonly needsGraph: boolean;
  readonly hyperparameters: HyperparameterTable;
  /**
   * A complete configuration from a partial one.
   * @param environments number of environments side by side.
   * @throws CoxswainError SPEC_INVALID for an unknown name (with the nearest valid one) or a value out of range.
   */
  configure(hyperparameters?: unknown, environments?: number): Config;
  /**
   * @throws CoxswainError ENVIRONMENT_INVALID when the spaces are not supported, DEVICE_UNAVAILABLE.
   */
  createAgent(config: Config, setup: AgentSetup): Promise<Agent>;
}

/** What {@link defineAlgorithm} makes an algorithm of. */
export interface AlgorithmDefinition<Table extends HyperparameterTable> {
  readonly name: string;
  readonly summary: string;
  readonly actionSpaces: readonly Space['kind'][];
  readonly masks: boolean;
  /** Default false. */
  readonly needsGraph?: boolean;
  /** An entry has `default`, `rule` ({ allowed: text, holds: function }) and `meaning`. */
  readonly hyperparameters: Table;
  /** Rules between hyperparameters. @returns a sentence about each that is broken. Default none. */
  readonly conflicts?: (config: ConfigOf<Table>, environments: number) => string[];
  readonly create: (config: ConfigOf<Table>, setup: AgentSetup, toolbox: Toolbox) => Promise<Learner> | Learner;
}

/** Makes an algorithm of its name, its hyperparameters and a function that creates a {@link Learner}. */
export function defineAlgorithm<const Table extends HyperparameterTable>(
  definition: AlgorithmDefinition<Table>,
): Algorithm<ConfigOf<Table>> {
  const { name, summary, actionSpaces, masks, needsGraph = false, hyperparameters, conflicts } = definition;
  return {
    name,
    summary,
    actionSpaces,
    masks,
    needsGraph,
    hyperparameters,
    configure(given = {}, environments = 1) {
      const config = parseHyperparameters(`hyperparameters of ${name}`, given, hyperparameters);
      const broken = conflicts?.(config, environments) ?? [];
      if (broken.length > 0) throw new CoxswainError('SPEC_INVALID', broken.join('; '));
      return config;
    },
    async createAgent(config, setup) {
      checkSpaces(definition, setup.environment);
      const learner = await createLearner(definition, config, setup);
      try {
        return new LearningAgent(name, learner, setup);
      } catch (error) {
        await learner?.dispose?.();
        throw error;
      }
    },
  };
}

/** What comes from outside may be no learner at all: {@link LearningAgent} looks. */
async function createLearner<Table extends HyperparameterTable>(
  { name, create }: AlgorithmDefinition<Table>,
  config: ConfigOf<Table>,
  setup: AgentSetup,
): Promise<Learner> {
  try {
    return await create(config, setup, toolbox);
  } catch (error) {
    throw algorithmError(name, 'create', error);
  }
}

/** @throws CoxswainError ENVIRONMENT_INVALID when the algorithm cannot act in this environment. */
export function checkSpaces(
  {
    name,
    actionSpaces,
    masks,
    needsGraph = false,
  }: Pick<Algorithm, 'name' | 'actionSpaces' | 'masks'> & Partial<Algorithm>,
  environment: EnvironmentDescription,
): void {
  const { kind } = environment.actionSpace;
  if (!actionSpaces.includes(kind)) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${environment.name}: ${name} does not support a ${kind} action space; it acts in ${actionSpaces.join(', ')}.`,
    );
  }
  if (needsGraph && !environment.graph) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${environment.name}: its observation is no graph, and ${name} acts on graphs only.`,
    );
  }
  if (environment.actionMaskSize > 0 && !masks) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${environment.name}: the environment masks actions, and ${name} would take forbidden ones. Choose an algorithm that keeps to masks.`,
    );
  }
}
