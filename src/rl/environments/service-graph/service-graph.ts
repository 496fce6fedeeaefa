import { CoxswainError } from '../../../contracts/errors.ts';
import type { ClusterView } from '../../baselines/controller.ts';
import type { EnvironmentDescription, EnvironmentState, Observation, Transition } from '../../environment.ts';
import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';
import { ClusterMonitor } from '../online-boutique/cluster-monitor.ts';
import type { ClusterMonitorState } from '../online-boutique/cluster-monitor.ts';
import { EpisodeStarts } from '../online-boutique/episode-starts.ts';
import { LatencyMixture } from '../online-boutique/latency-mixture.ts';
import { FRAME } from '../online-boutique/metrics-history.ts';
import { validateTrace } from '../online-boutique/options.ts';
import { limitsOf } from '../online-boutique/service-limits.ts';
import { Simulation, STEP_SECONDS, SUB_STEPS } from '../online-boutique/simulation.ts';
import type { SimulationState } from '../online-boutique/simulation.ts';
import { stepReward } from '../online-boutique/step-reward.ts';
import type { ScalingEnvironment } from '../scaling-environment.ts';
import { stepOutsideEpisode } from '../step-checks.ts';
import { boutiqueGraph } from './boutique-graph.ts';
import { describeServiceGraph } from './description.ts';
import { everyService } from './graph-application.ts';
import type { GraphApplication } from './graph-application.ts';
import { GraphDecision } from './graph-decision.ts';
import { GraphMonitor } from './graph-monitor.ts';
import type { GraphMonitorState } from './graph-monitor.ts';
import type { Instance } from './instance.ts';
import { Lifecycle } from './lifecycle.ts';
import type { LifecycleState } from './lifecycle.ts';
import { parseServiceGraphParameters } from './options.ts';
import type { CompleteParameters, ServiceGraphOptions } from './options.ts';
import { currentRoutes, emptySlot } from './routes.ts';
import { DAY_BINS, generatedWeek } from './traffic.ts';
import { validateGraphApplication } from './validate-graph-application.ts';

/**
 * A graph of services that come and go: an environment for agents and for controllers, slot by slot. In its view an empty
 * slot has no name and no replicas.
 */
export interface ServiceGraph extends ScalingEnvironment {
  /** Who is there: slot, identity, version and phase. */
  readonly instances: readonly Instance[];
}

/**
 * Makes a service graph; docs/environments/service-graph.md describes it.
 * @throws CoxswainError ENVIRONMENT_INVALID when an option is out of range or the trace is shorter than an episode.
 */
export function createServiceGraph(options: ServiceGraphOptions = {}): ServiceGraph {
  return new DynamicGraph(options);
}

const NAME = 'service-graph';
/** Control steps before an episode's window that are played with constant replicas, so that queues and metrics settle. */
const LEAST_WARM_UP_STEPS = 8;
/** Utilisation that the replicas at the start of an episode are chosen for. */
const INITIAL_UTILISATION = 0.6;
/** Replicas that a newcomer starts with. */
const NEWCOMER_REPLICAS = 2;
const STEPS_PER_HOUR = 3600 / STEP_SECONDS;

interface ServiceGraphState {
  readonly offset: number;
  readonly scale: number;
  readonly steps: number;
  readonly generator: GeneratorState;
  readonly lifecycle: LifecycleState;
  readonly simulation: SimulationState;
  readonly monitor: ClusterMonitorState;
  readonly graphMonitor: GraphMonitorState;
  readonly lastQuantile: number;
}

class DynamicGraph implements ServiceGraph {
  readonly description: EnvironmentDescription;
  readonly stepSeconds = STEP_SECONDS;
  readonly latencies: LatencyMixture;
  private readonly parameters: CompleteParameters;
  private readonly application: GraphApplication;
  private readonly trace: Float32Array | Float64Array;
  private readonly meanRequests: number;
  /** Bin of the day at which the trace begins. */
  private readonly firstBin: number;
  private readonly starts: EpisodeStarts;
  private readonly lifecycle: Lifecycle;
  private readonly simulation: Simulation;
  private readonly monitor: ClusterMonitor;
  private readonly graphMonitor: GraphMonitor;
  private readonly decision: GraphDecision;
  private readonly arrivals: Float64Array;
  /** Replicas that a step sets. */
  private readonly replicas: Int32Array;
  private readonly scalable: Uint8Array;
  private readonly identities: Int32Array;
  private readonly mtls: Uint8Array;
  private generator = new Generator(0);
  private offset = 0;
  /** What the trace is multiplied by in this episode. */
  private scale = 1;
  /** Steps played of the episode; −1 before the first reset. */
  private steps = -1;

  constructor(options: ServiceGraphOptions) {
    const { trace = generatedWeek(), application = boutiqueGraph, startsAtSeconds = 0, ...given } = options;
    this.parameters = parseServiceGraphParameters(given);
    this.firstBin = firstBinOf(startsAtSeconds);
    const { nodes, episodeSteps, metricsDelaySteps, sloSeconds, timeoutSeconds, changesPerHour } = this.parameters;
    validateTrace(trace, episodeSteps);
    this.application = validateGraphApplication(application, nodes);
    this.trace = trace;
    this.meanRequests = Math.max(1, sumOf(trace) / trace.length);
    this.starts = new EpisodeStarts(trace, episodeSteps, this.parameters.rampEpisodes);
    this.lifecycle = new Lifecycle(application, nodes, changesPerHour / STEPS_PER_HOUR);
    this.lifecycle.reset(new Generator(0), 0);
    const routes = currentRoutes(application, nodes, this.lifecycle.instances);
    this.simulation = new Simulation(routes, limitsOf(everyService(application)));
    this.monitor = new ClusterMonitor(routes.services, this.simulation, {
      delaySteps: metricsDelaySteps,
      rateSteps: 0,
      sloSeconds,
    });
    this.graphMonitor = new GraphMonitor(this.simulation, nodes, metricsDelaySteps, timeoutSeconds);
    this.latencies = new LatencyMixture(application.requests.length * SUB_STEPS);
    this.description = describeServiceGraph(nodes, episodeSteps);
    this.arrivals = new Float64Array(application.requests.length);
    this.replicas = new Int32Array(nodes);
    this.scalable = new Uint8Array(nodes);
    this.identities = new Int32Array(nodes);
    this.mtls = new Uint8Array(nodes * nodes);
    const { monitor, graphMonitor: calls, simulation, identities, mtls, scalable } = this;
    const { view, history } = monitor;
    const { existing: existingPods } = simulation.fleet;
    this.decision = new GraphDecision(
      { view, history, calls, existingPods, identities, mtls, scalable },
      this.parameters,
    );
  }

  get view(): ClusterView {
    return this.monitor.view;
  }

  get instances(): readonly Instance[] {
    return this.lifecycle.instances;
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
    this.decision.replicasOf(action, this.replicas);
    return this.advance(this.replicas);
  }

  stepReplicas(desiredReplicas: ArrayLike<number>): Transition {
    this.decision.permit(desiredReplicas, this.replicas);
    return this.advance(this.replicas);
  }

  private advance(replicas: Int32Array): Transition {
    const { episodeSteps } = this.parameters;
    if (this.steps < 0 || this.steps >= episodeSteps) {
      throw stepOutsideEpisode(NAME);
    }
    const actions = this.setReplicas(replicas);
    this.play(this.scale * this.trace[this.offset + this.steps]);
    this.steps++;
    const { newest, values } = this.monitor.history;
    const p95LatencySeconds = values[newest + FRAME.p95Seconds];
    const sloViolationRate = values[newest + FRAME.violationShare];
    const { podSeconds, completedRequests } = this.simulation;
    const outcome = {
      pods: podSeconds / STEP_SECONDS,
      violationShare: sloViolationRate,
      relativeRequests: this.latencies.requests / this.meanRequests,
      actions,
    };
    const abandonedCalls = this.changeServices();
    this.prepareDecision();
    return {
      observation: this.decision.observation,
      actionMask: this.decision.mask,
      reward: stepReward(outcome, this.parameters),
      terminated: false,
      truncated: this.steps === episodeSteps,
      measures: {
        p95LatencySeconds,
        sloViolationRate,
        podSeconds,
        actionsPerMinute: (actions * 60) / STEP_SECONDS,
        requestsPerSecond: this.latencies.requests / STEP_SECONDS,
        completedPerSecond: completedRequests / STEP_SECONDS,
        services: this.lifecycle.instances.length,
        abandonedCalls,
      },
    };
  }

  saveState(): EnvironmentState {
    return {
      offset: this.offset,
      scale: this.scale,
      steps: this.steps,
      generator: this.generator.saveState(),
      lifecycle: this.lifecycle.saveState(),
      simulation: this.simulation.saveState(),
      monitor: this.monitor.saveState(),
      graphMonitor: this.graphMonitor.saveState(),
      lastQuantile: this.latencies.saveState(),
    } satisfies ServiceGraphState;
  }

  loadState(state: EnvironmentState): Observation {
    const saved = state as ServiceGraphState;
    this.offset = saved.offset;
    this.scale = saved.scale;
    this.steps = saved.steps;
    this.generator.loadState(saved.generator);
    this.lifecycle.loadState(saved.lifecycle);
    this.placeServices();
    this.simulation.loadState(saved.simulation);
    this.monitor.loadState(saved.monitor);
    this.graphMonitor.loadState(saved.graphMonitor);
    this.latencies.clear();
    this.latencies.loadState(saved.lastQuantile);
    return this.prepareDecision();
  }

  private start(offset: number, scale: number, generator: Generator): Observation {
    this.generator = generator;
    this.offset = offset;
    this.scale = scale;
    this.steps = 0;
    this.latencies.loadState(0);
    this.lifecycle.reset(generator.fork(), this.hour);
    this.placeServices();
    this.graphMonitor.reset();
    const before = (steps: number): number => scale * this.trace[Math.max(0, offset - steps)];
    const warmUp = Math.max(LEAST_WARM_UP_STEPS, this.parameters.metricsDelaySteps + 1);
    let sum = 0;
    for (let steps = 1; steps <= warmUp; steps++) sum += before(steps);
    this.simulation.reset(this.simulation.replicasFor(sum / warmUp / STEP_SECONDS, INITIAL_UTILISATION));
    for (let steps = warmUp; steps > 0; steps--) this.play(before(steps));
    return this.prepareDecision();
  }

  private get binOfDay(): number {
    return (this.firstBin + this.offset + this.steps) % DAY_BINS;
  }

  /** Hour of the day, 0 … 24. */
  private get hour(): number {
    return this.binOfDay / (DAY_BINS / 24);
  }

  /** @returns how many services have other desired replicas now. */
  private setReplicas(replicas: Int32Array): number {
    let actions = 0;
    for (let slot = 0; slot < replicas.length; slot++) {
      if (this.simulation.fleet.scale(slot, replicas[slot])) actions++;
    }
    return actions;
  }

  /** One control step with `requests` expected arrivals, up to the new metrics. */
  private play(requests: number): void {
    const { typeShare } = this.simulation.topology;
    for (let type = 0; type < this.arrivals.length; type++) {
      this.arrivals[type] = this.generator.poisson(requests * typeShare[type]);
    }
    this.latencies.clear();
    this.monitor.beginStep();
    this.simulation.advance(this.arrivals, this.latencies);
    this.monitor.endStep(this.latencies);
    const { history } = this.monitor;
    this.graphMonitor.endStep(history.values, history.newest + FRAME.width);
  }

  /** Lets services come and go. @returns calls that were given up with those that left. */
  private changeServices(): number {
    const { fleet } = this.simulation;
    const { left, entered, rerouted } = this.lifecycle.advance(this.hour, (slot) => fleet.ready[slot] > 0);
    // The calls of what leaves are to be moved on before its slot is cleared.
    const abandoned = rerouted ? this.reroute() : 0;
    for (const slot of left) this.clearSlot(slot);
    for (const instance of entered) {
      this.occupySlot(instance);
      fleet.scale(instance.slot, NEWCOMER_REPLICAS);
    }
    if (rerouted || entered.length > 0) this.noteServices();
    return abandoned;
  }

  /** Puts everybody who is there into the slots, without pods, and clears the others. */
  private placeServices(): void {
    for (let slot = 0; slot < this.parameters.nodes; slot++) this.clearSlot(slot);
    for (const instance of this.lifecycle.instances) this.occupySlot(instance);
    this.reroute();
    this.noteServices();
  }

  private clearSlot(slot: number): void {
    this.simulation.replaceService(slot, emptySlot);
    this.monitor.replaceService(slot, emptySlot);
    this.graphMonitor.forget(slot);
  }

  private occupySlot(instance: Instance): void {
    this.simulation.replaceService(instance.slot, instance.service);
    this.monitor.replaceService(instance.slot, instance.service);
    this.graphMonitor.enter(instance);
  }

  private reroute(): number {
    const { application, parameters, lifecycle } = this;
    const abandoned = this.simulation.reroute(currentRoutes(application, parameters.nodes, lifecycle.instances));
    this.graphMonitor.reroute();
    return abandoned;
  }

  /** What the observation and the mask say about who is there. */
  private noteServices(): void {
    const { identities, mtls, scalable } = this;
    const { instances } = this.lifecycle;
    const slots = this.parameters.nodes;
    identities.fill(0);
    mtls.fill(0);
    scalable.fill(0);
    for (const { slot, identity, phase, sidecar } of instances) {
      identities[slot] = identity;
      scalable[slot] = phase === 'draining' ? 0 : 1;
      if (!sidecar) continue;
      for (const other of instances) if (other.sidecar) mtls[slot * slots + other.slot] = 1;
    }
  }

  /** Brings view, observation and mask up to the moment before the next decision. */
  private prepareDecision(): Observation {
    this.monitor.updateView(this.steps * STEP_SECONDS);
    this.decision.prepare(this.binOfDay / DAY_BINS);
    return { observation: this.decision.observation, actionMask: this.decision.mask };
  }
}

/** @throws CoxswainError ENVIRONMENT_INVALID when it is no moment. */
function firstBinOf(startsAtSeconds: number): number {
  if (startsAtSeconds >= 0 && Number.isFinite(startsAtSeconds)) return Math.round(startsAtSeconds / STEP_SECONDS);
  const message = `${NAME}: startsAtSeconds is ${startsAtSeconds}; allowed: seconds since a midnight, from 0 on`;
  throw new CoxswainError('ENVIRONMENT_INVALID', message);
}

function sumOf(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}
