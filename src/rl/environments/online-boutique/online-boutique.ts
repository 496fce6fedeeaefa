import { CoxswainError } from '../../../contracts/errors.ts';
import type { ClusterView } from '../../baselines/controller.ts';
import { createHpa } from '../../baselines/hpa.ts';
import type { Hpa, HpaState } from '../../baselines/hpa.ts';
import type { EnvironmentDescription, EnvironmentState, Observation, Transition } from '../../environment.ts';
import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';
import { observationSize, observationTable, RATE_STEPS, writeObservation } from './boutique-observation.ts';
import type { ObservationInput } from './boutique-observation.ts';
import { ClusterMonitor } from './cluster-monitor.ts';
import type { ClusterMonitorState } from './cluster-monitor.ts';
import { EpisodeStarts } from './episode-starts.ts';
import { LatencyMixture } from './latency-mixture.ts';
import type { ScalingEnvironment } from '../scaling-environment.ts';
import { FRAME } from './metrics-history.ts';
import { onlineBoutiqueApplication } from './online-boutique-application.ts';
import { defaultParameters, parseOnlineBoutiqueParameters, validateTrace } from './options.ts';
import type { CompleteParameters, OnlineBoutiqueOptions } from './options.ts';
import { changeOf, CHOICES, maskService, replicaActionTable } from './replica-actions.ts';
import { Simulation, STEP_SECONDS, SUB_STEPS } from './simulation.ts';
import type { SimulationState } from './simulation.ts';
import { validateApplication } from './validate-application.ts';

/** Online Boutique: an environment for agents and for controllers. */
export type OnlineBoutique = ScalingEnvironment;

/**
 * Makes an Online Boutique environment; docs/environments/online-boutique.md describes it.
 * @throws CoxswainError ENVIRONMENT_INVALID when an option is out of range or the trace is shorter than an episode.
 */
export function createOnlineBoutique(options: OnlineBoutiqueOptions): OnlineBoutique {
  return new Boutique(options);
}

/** Control steps before an episode's window that are played with constant replicas, so that queues and metrics settle. */
const LEAST_WARM_UP_STEPS = 8;
/** Utilisation that the replicas at the start of an episode are chosen for. */
const INITIAL_UTILISATION = 0.6;
/** Reward of one pod over one step. */
const REWARD_PER_POD = 0.02;

interface BoutiqueState {
  readonly offset: number;
  readonly scale: number;
  readonly steps: number;
  readonly generator: GeneratorState;
  readonly simulation: SimulationState;
  readonly monitor: ClusterMonitorState;
  readonly lastQuantile: number;
  readonly hpa: HpaState | null;
  readonly base: readonly number[];
}

class Boutique implements OnlineBoutique {
  readonly description: EnvironmentDescription;
  readonly stepSeconds = STEP_SECONDS;
  private readonly parameters: CompleteParameters;
  private readonly trace: Float32Array | Float64Array;
  private readonly meanRequests: number;
  private readonly starts: EpisodeStarts;
  private readonly simulation: Simulation;
  private readonly monitor: ClusterMonitor;
  readonly latencies: LatencyMixture;
  private readonly hpa: Hpa | null;
  private readonly observation: Float32Array;
  private readonly mask: Uint8Array;
  private readonly arrivals: Float64Array;
  /** Replicas that an action's changes are added to. */
  private readonly base: Int32Array;
  /** Replicas that an action may lead to. */
  private readonly low: Int32Array;
  private readonly high: Int32Array;
  private readonly wanted: Int32Array;
  private readonly observationInput: ObservationInput;
  private generator = new Generator(0);
  private offset = 0;
  /** What the trace is multiplied by in this episode. */
  private scale = 1;
  /** Steps played of the episode; −1 before the first reset. */
  private steps = -1;

  constructor(options: OnlineBoutiqueOptions) {
    const { trace, application: given, ...parameters } = options;
    this.parameters = { ...defaultParameters, ...parseOnlineBoutiqueParameters(withoutUndefined(parameters)) };
    validateTrace(trace, this.parameters.episodeSteps);
    const application = validateApplication(given ?? onlineBoutiqueApplication);
    const { services } = application;
    this.trace = trace;
    this.meanRequests = Math.max(1, sumOf(trace) / trace.length);
    this.starts = new EpisodeStarts(trace, this.parameters.episodeSteps, this.parameters.rampEpisodes);
    this.simulation = new Simulation(application);
    this.monitor = new ClusterMonitor(services, this.simulation, {
      delaySteps: this.parameters.metricsDelaySteps,
      rateSteps: RATE_STEPS,
      sloSeconds: this.parameters.sloSeconds,
    });
    this.latencies = new LatencyMixture(application.requests.length * SUB_STEPS);
    this.hpa =
      this.parameters.actionBase === 'hpa' ? createHpa({ targetPercent: this.parameters.hpaTargetPercent }) : null;
    this.observation = new Float32Array(observationSize(services.length));
    this.mask = new Uint8Array(services.length * CHOICES);
    this.arrivals = new Float64Array(application.requests.length);
    this.base = new Int32Array(services.length);
    this.low = new Int32Array(services.length);
    this.high = new Int32Array(services.length);
    this.wanted = new Int32Array(services.length);
    this.description = describe(this.view.services, this.parameters.episodeSteps);
    this.observationInput = {
      view: this.view,
      history: this.monitor.history,
      sloSeconds: this.parameters.sloSeconds,
      startingPods: this.simulation.fleet.startingTotal,
      base: this.base,
    };
  }

  get view(): ClusterView {
    return this.monitor.view;
  }

  reset(seed: number): Observation {
    const generator = new Generator(seed);
    const { rateJitter } = this.parameters;
    const scale = rateJitter > 0 ? Math.exp(rateJitter * (2 * generator.uniform() - 1)) : 1;
    return this.start(this.starts.draw(generator), scale, generator);
  }

  resetAt(offset: number, seed: number): Observation {
    const last = this.trace.length - this.parameters.episodeSteps;
    if (!Number.isInteger(offset) || offset < 0 || offset > last) {
      throw new CoxswainError('ENVIRONMENT_INVALID', `An episode can start at bins 0 … ${last}, not at ${offset}.`);
    }
    return this.start(offset, 1, new Generator(seed));
  }

  step(action: Int32Array | Float32Array): Transition {
    for (let s = 0; s < this.base.length; s++) {
      const wanted = this.base[s] + this.changeChosen(action, s);
      this.wanted[s] = Math.max(this.low[s], Math.min(this.high[s], wanted));
    }
    return this.stepReplicas(this.wanted);
  }

  stepReplicas(desiredReplicas: ArrayLike<number>): Transition {
    if (this.steps < 0 || this.steps >= this.parameters.episodeSteps) {
      throw new CoxswainError(
        'ENVIRONMENT_INVALID',
        'online-boutique: step after the end or before reset; call reset.',
      );
    }
    let actions = 0;
    for (let s = 0; s < this.base.length; s++) {
      if (this.simulation.fleet.scale(s, desiredReplicas[s])) actions++;
    }
    this.play(this.scale * this.trace[this.offset + this.steps]);
    this.steps++;
    const { newest, values } = this.monitor.history;
    const p95LatencySeconds = values[newest + FRAME.p95Seconds];
    const sloViolationRate = values[newest + FRAME.violationShare];
    const { podSeconds } = this.simulation;
    const { violationPrice, violationSaturation, actionPrice, episodeSteps } = this.parameters;
    const charged = -violationSaturation * Math.expm1(-sloViolationRate / violationSaturation);
    const violations = (100 * charged * this.latencies.requests) / this.meanRequests;
    const cost = podSeconds / STEP_SECONDS + violationPrice * violations + actionPrice * actions;
    this.prepareDecision();
    return {
      observation: this.observation,
      actionMask: this.mask,
      reward: -REWARD_PER_POD * cost,
      terminated: false,
      truncated: this.steps === episodeSteps,
      measures: {
        p95LatencySeconds,
        sloViolationRate,
        podSeconds,
        actionsPerMinute: (actions * 60) / STEP_SECONDS,
        requestsPerSecond: this.latencies.requests / STEP_SECONDS,
        completedPerSecond: this.simulation.completedRequests / STEP_SECONDS,
      },
    };
  }

  saveState(): EnvironmentState {
    return {
      offset: this.offset,
      scale: this.scale,
      steps: this.steps,
      generator: this.generator.saveState(),
      simulation: this.simulation.saveState(),
      monitor: this.monitor.saveState(),
      lastQuantile: this.latencies.saveState(),
      hpa: this.hpa === null ? null : this.hpa.saveState(),
      base: [...this.base],
    } satisfies BoutiqueState;
  }

  loadState(state: EnvironmentState): Observation {
    const saved = state as BoutiqueState;
    this.offset = saved.offset;
    this.scale = saved.scale;
    this.steps = saved.steps;
    this.generator.loadState(saved.generator);
    this.simulation.loadState(saved.simulation);
    this.monitor.loadState(saved.monitor);
    this.latencies.clear();
    this.latencies.loadState(saved.lastQuantile);
    if (saved.hpa !== null) this.hpa?.loadState(saved.hpa);
    this.monitor.updateView(this.steps * STEP_SECONDS);
    this.base.set(saved.base);
    return this.observe();
  }

  private changeChosen(action: Int32Array | Float32Array, s: number): number {
    const choice = action[s];
    if (choice >= 0 && choice < CHOICES && Number.isInteger(choice)) return changeOf(choice);
    throw new CoxswainError('ENVIRONMENT_INVALID', `online-boutique: action ${s} must be 0 … 14, not ${choice}.`);
  }

  private start(offset: number, scale: number, generator: Generator): Observation {
    this.generator = generator;
    this.offset = offset;
    this.scale = scale;
    this.hpa?.reset();
    this.latencies.loadState(0);
    const before = (steps: number): number => scale * this.trace[Math.max(0, offset - steps)];
    let sum = 0;
    const { metricsDelaySteps } = this.parameters;
    const warmUp = Math.max(LEAST_WARM_UP_STEPS, metricsDelaySteps + 1);
    for (let steps = 1; steps <= warmUp; steps++) sum += before(steps);
    this.simulation.reset(this.simulation.replicasFor(sum / warmUp / STEP_SECONDS, INITIAL_UTILISATION));
    for (let steps = RATE_STEPS + metricsDelaySteps + warmUp; steps > warmUp; steps--) {
      this.monitor.history.noteRate(before(steps) / STEP_SECONDS);
    }
    for (let steps = warmUp; steps > 0; steps--) this.play(before(steps));
    this.steps = 0;
    this.prepareDecision();
    return { observation: this.observation, actionMask: this.mask };
  }

  /** One control step with `requests` expected arrivals, up to the new metrics. */
  private play(requests: number): void {
    const { topology } = this.simulation;
    for (let type = 0; type < this.arrivals.length; type++) {
      this.arrivals[type] = this.generator.poisson(requests * topology.typeShare[type]);
    }
    this.latencies.clear();
    this.monitor.beginStep();
    this.simulation.advance(this.arrivals, this.latencies);
    this.monitor.endStep(this.latencies);
  }

  /** Brings view, base, observation and mask up to the moment before the next decision. */
  private prepareDecision(): void {
    this.monitor.updateView(this.steps * STEP_SECONDS);
    if (this.hpa === null) this.base.set(this.view.desiredReplicas);
    else this.hpa.decide(this.view, this.base);
    this.observe();
  }

  private observe(): Observation {
    writeObservation(this.observationInput, this.observation);
    for (let s = 0; s < this.base.length; s++) {
      this.boundReplicas(s);
      maskService(this.mask, s, this.base[s], this.low[s], this.high[s]);
    }
    return { observation: this.observation, actionMask: this.mask };
  }

  /** The replicas that an action may lead to; what the base itself proposes always is among them. */
  private boundReplicas(s: number): void {
    const { maxChange, maxTargetRatio, minTargetRatio, hpaTargetPercent } = this.parameters;
    const { view } = this;
    const base = this.base[s];
    const load = (100 * this.monitor.cpuUsage(s)) / (view.cpuRequestMillicores[s] * hpaTargetPercent);
    let low = Math.max(view.minReplicas[s], base - maxChange);
    let high = Math.min(view.maxReplicas[s], base + maxChange);
    if (maxTargetRatio > 0) low = Math.max(low, Math.ceil(load / maxTargetRatio));
    if (minTargetRatio > 0) high = Math.min(high, Math.ceil(load / minTargetRatio));
    this.low[s] = Math.min(base, low);
    this.high[s] = Math.max(base, high);
  }
}

function describe(services: readonly string[], episodeSteps: number): EnvironmentDescription {
  const table = observationTable(services);
  return {
    name: 'online-boutique',
    observationSpace: {
      kind: 'box',
      shape: [table.length],
      low: table.map((row) => row.low),
      high: table.map((row) => row.high),
    },
    actionSpace: { kind: 'multi-discrete', choices: services.map(() => CHOICES) },
    actionMaskSize: services.length * CHOICES,
    maxEpisodeSteps: episodeSteps,
    observationTable: table,
    actionTable: replicaActionTable(services),
  };
}

function sumOf(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

/** `undefined` means the default, as everywhere. */
function withoutUndefined(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
