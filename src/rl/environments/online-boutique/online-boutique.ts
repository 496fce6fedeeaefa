import { CoxswainError } from '../../../contracts/errors.ts';
import type { ClusterView } from '../../baselines/controller.ts';
import { createHpa } from '../../baselines/hpa.ts';
import type { HpaState } from '../../baselines/hpa.ts';
import type { EnvironmentDescription, EnvironmentState, Observation, Transition } from '../../environment.ts';
import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';
import { observationTable, RATE_STEPS } from './boutique-observation.ts';
import { ClusterMonitor } from './cluster-monitor.ts';
import type { ClusterMonitorState } from './cluster-monitor.ts';
import { EpisodeStarts } from './episode-starts.ts';
import { LatencyMixture } from './latency-mixture.ts';
import type { ScalingEnvironment } from '../scaling-environment.ts';
import { FRAME } from './metrics-history.ts';
import { onlineBoutiqueApplication } from './online-boutique-application.ts';
import { defaultParameters, parseOnlineBoutiqueParameters, validateTrace } from './options.ts';
import type { CompleteParameters, OnlineBoutiqueOptions } from './options.ts';
import { CHOICES, replicaActionTable } from './replica-actions.ts';
import { ScalingDecision } from './scaling-decision.ts';
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
  private readonly decision: ScalingDecision;
  private readonly arrivals: Float64Array;
  private readonly wanted: Int32Array;
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
    const { monitor, simulation } = this;
    const source = {
      view: monitor.view,
      history: monitor.history,
      startingPods: simulation.fleet.startingTotal,
      cpuUsage: (s: number) => monitor.cpuUsage(s),
    };
    const { actionBase, hpaTargetPercent } = this.parameters;
    const hpa = actionBase === 'hpa' ? createHpa({ targetPercent: hpaTargetPercent }) : null;
    this.decision = new ScalingDecision(source, this.parameters, hpa);
    this.arrivals = new Float64Array(application.requests.length);
    this.wanted = new Int32Array(services.length);
    this.description = describe(this.view.services, this.parameters.episodeSteps);
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
    this.decision.replicasOf(action, this.wanted);
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
    for (let s = 0; s < this.wanted.length; s++) {
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
      observation: this.decision.observation,
      actionMask: this.decision.mask,
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
      hpa: this.decision.saveHpa(),
      base: [...this.decision.base],
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
    this.monitor.updateView(this.steps * STEP_SECONDS);
    this.decision.load(saved.hpa, saved.base);
    return this.observation();
  }

  private start(offset: number, scale: number, generator: Generator): Observation {
    this.generator = generator;
    this.offset = offset;
    this.scale = scale;
    this.decision.reset();
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
    return this.observation();
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

  /** Brings view, observation and mask up to the moment before the next decision. */
  private prepareDecision(): void {
    this.monitor.updateView(this.steps * STEP_SECONDS);
    this.decision.prepare();
  }

  private observation(): Observation {
    return { observation: this.decision.observation, actionMask: this.decision.mask };
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
