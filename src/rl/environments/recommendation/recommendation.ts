import type { Environment, EnvironmentDescription, Observation, Transition } from '../../environment.ts';
import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';
import { choiceAt, stepOutsideEpisode } from '../step-checks.ts';
import { Catalogue } from './catalogue.ts';
import { clickModels, showSlate } from './click-models.ts';
import type { SlateOutcome } from './click-models.ts';
import { History } from './history.ts';
import type { HistoryState } from './history.ts';
import { NAME, parseRecommendationParameters } from './options.ts';
import type { RecommendationParameters } from './options.ts';
import { observationTable, writeObservation } from './recommendation-observation.ts';
import { Retrieval } from './retrieval.ts';
import { composeSlate, intraListDiversity } from './slate.ts';
import { Viewer } from './viewer.ts';
import type { ViewerState } from './viewer.ts';

/** Minutes watched that count as one in the reward: about an item. */
const REWARDED_MINUTES = 6;

interface RecommendationState {
  readonly over: boolean;
  readonly generator: GeneratorState;
  readonly viewer: ViewerState;
  readonly history: HistoryState;
  readonly candidates: readonly number[];
}

/**
 * A session of slates for one user whose interests are hidden and drift; docs/environments/recommendation.md describes
 * model, tables and reward.
 */
export class Recommendation implements Environment {
  readonly description: EnvironmentDescription;
  readonly catalogue: Catalogue;
  readonly viewer: Viewer;
  private readonly parameters: RecommendationParameters;
  private readonly history: History;
  private readonly retrieval: Retrieval;
  private readonly candidates: Int32Array;
  private readonly slate: Int32Array;
  private readonly choices: Int32Array;
  private readonly observation: Float32Array;
  private generator = new Generator(0);
  /** True before the first reset and after the end of an episode. */
  private over = true;

  /** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
  constructor(parameters: Readonly<Record<string, unknown>> = {}) {
    this.parameters = parseRecommendationParameters(parameters);
    const { catalogueSize, catalogueSeed, topics, candidates, slateSize, satiation, interestDrift } = this.parameters;
    this.catalogue = new Catalogue(catalogueSize, topics, catalogueSeed);
    this.viewer = new Viewer(this.catalogue, satiation, interestDrift);
    this.history = new History(this.catalogue);
    this.retrieval = new Retrieval(this.catalogue, candidates);
    this.candidates = new Int32Array(candidates);
    this.slate = new Int32Array(slateSize);
    this.choices = new Int32Array(slateSize);
    this.description = describe(this.parameters);
    this.observation = new Float32Array(this.description.observationTable.length);
  }

  reset(seed: number): Observation {
    this.generator = new Generator(seed);
    this.viewer.reset(this.generator);
    this.history.reset();
    this.over = false;
    this.retrieval.retrieve(this.history, this.generator, this.candidates);
    return this.observe();
  }

  step(action: Int32Array | Float32Array): Transition {
    if (this.over) throw stepOutsideEpisode(NAME);
    const { catalogue, slate, viewer, history, generator, parameters } = this;
    for (let place = 0; place < slate.length; place++) {
      this.choices[place] = choiceAt(NAME, action, place, parameters.candidates);
    }
    composeSlate(this.choices, this.candidates, slate);
    const outcome = showSlate(slate, viewer, clickModels[parameters.clickModel], catalogue.minutes, generator);
    history.note(slate, outcome.watched, outcome.minutes);
    const terminated = viewer.finishSlate(outcome.satisfaction, generator);
    const truncated = history.slates >= parameters.episodeSteps;
    const measures = this.measure(outcome);
    this.over = terminated || truncated;
    this.retrieval.retrieve(history, generator, this.candidates);
    return {
      ...this.observe(),
      reward: measures.rewardClicks + measures.rewardWatch + measures.rewardDiversity,
      terminated,
      truncated,
      measures,
    };
  }

  saveState(): RecommendationState {
    return {
      over: this.over,
      generator: this.generator.saveState(),
      viewer: this.viewer.saveState(),
      history: this.history.saveState(),
      candidates: [...this.candidates],
    };
  }

  loadState(state: unknown): Observation {
    const saved = state as RecommendationState;
    this.over = saved.over;
    this.generator.loadState(saved.generator);
    this.viewer.loadState(saved.viewer);
    this.history.loadState(saved.history);
    this.candidates.set(saved.candidates);
    return this.observe();
  }

  private measure({ clicks, minutes, satisfaction }: SlateOutcome) {
    const { clickWeight, watchWeight, diversityWeight } = this.parameters;
    const diversity = intraListDiversity(this.slate, this.catalogue);
    return {
      clicks,
      minutesWatched: minutes,
      satisfaction,
      diversity,
      rewardClicks: clickWeight * clicks,
      rewardWatch: (watchWeight * minutes) / REWARDED_MINUTES,
      // Diversity that nobody wants is worth nothing: else a slate of anything would earn it.
      rewardDiversity: diversityWeight * diversity * satisfaction,
    };
  }

  private observe(): Observation {
    const { catalogue, history, candidates, observation } = this;
    writeObservation(catalogue, history, candidates, this.parameters.episodeSteps, observation);
    return { observation, actionMask: null };
  }
}

function describe(parameters: RecommendationParameters): EnvironmentDescription {
  const table = observationTable(parameters);
  const { slateSize, candidates, episodeSteps } = parameters;
  return {
    name: NAME,
    observationSpace: {
      kind: 'box',
      shape: [table.length],
      low: table.map(({ low }) => low),
      high: table.map(({ high }) => high),
    },
    actionSpace: { kind: 'multi-discrete', choices: Array.from({ length: slateSize }, () => candidates) },
    actionMaskSize: 0,
    maxEpisodeSteps: episodeSteps,
    observationTable: table,
    actionTable: Array.from({ length: slateSize }, (_, place) => ({
      index: String(place),
      name: `position${place}`,
      unit: 'candidate',
      low: 0,
      high: candidates - 1,
      meaning: 'the candidate at this position; one that is already above is replaced by the best-ranked one left',
    })),
  };
}
