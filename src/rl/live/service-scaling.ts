import type { ControlObservation } from '../../contracts/control.ts';
import { createHpa } from '../baselines/hpa.ts';
import type { Hpa } from '../baselines/hpa.ts';
import type { Application } from '../environments/online-boutique/application.ts';
import { defaultParameters, parseOnlineBoutiqueParameters } from '../environments/online-boutique/options.ts';
import type { CompleteParameters } from '../environments/online-boutique/options.ts';
import { ScalingDecision } from '../environments/online-boutique/scaling-decision.ts';
import { flawsForHpa, flawsForPolicy, LiveMonitor, liveRateSteps } from './live-monitor.ts';
import type { LiveDecision, LiveMemory, LiveScaling, LiveScalingOptions } from './live-scaling.ts';

/** Decides as an agent does in the simulations of services that are always there: online-boutique and twin. */
export class ServiceScaling implements LiveScaling {
  readonly sloSeconds: number;
  readonly rateSteps = liveRateSteps;
  readonly seesCalls = false;
  private readonly services: Application['services'];
  private readonly names: readonly string[];
  private readonly parameters: CompleteParameters;

  /** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
  constructor({
    application,
    environment,
    hpaTargetPercent,
  }: LiveScalingOptions & { readonly application: Application }) {
    this.services = application.services;
    this.names = application.services.map(({ name }) => name);
    this.parameters = {
      ...defaultParameters,
      ...parseOnlineBoutiqueParameters(environment.parameters),
      hpaTargetPercent,
    };
    this.sloSeconds = this.parameters.sloSeconds;
  }

  decide(observation: ControlObservation, atSeconds: number, memory: LiveMemory | null): LiveDecision {
    const { parameters } = this;
    const monitor = new LiveMonitor(this.services);
    const hpa = createHpa({ targetPercent: parameters.hpaTargetPercent });
    if (memory?.hpa != null) hpa.loadState(memory.hpa);
    const relative = parameters.actionBase === 'hpa';
    const decision = new ScalingDecision(monitor, parameters, relative ? hpa : null);
    const hpaFlaws = flawsForHpa(observation, this.names);
    if (hpaFlaws.length > 0) return undecided(hpaFlaws, hpa, null);

    monitor.showCluster(observation, atSeconds);
    const flaws = flawsForPolicy(observation, this.names);
    if (flaws.length > 0) return undecided(flaws, hpa, wishOf(hpa, monitor));
    monitor.showMetrics(observation.metrics!);
    decision.prepare();
    return {
      hpaReplicas: relative ? [...decision.base] : wishOf(hpa, monitor),
      question: { observation: decision.observation, mask: decision.mask },
      flaws: [],
      notes: [],
      memory: { hpa: hpa.saveState() },
      replicasOf: (action) => {
        const replicas = new Int32Array(this.services.length);
        decision.replicasOf(action, replicas);
        return [...replicas];
      },
    };
  }
}

function wishOf(hpa: Hpa, { view }: LiveMonitor): number[] {
  const replicas = new Int32Array(view.services.length);
  hpa.decide(view, replicas);
  return [...replicas];
}

function undecided(flaws: readonly string[], hpa: Hpa, hpaReplicas: number[] | null): LiveDecision {
  return {
    hpaReplicas,
    question: null,
    flaws,
    notes: [],
    memory: { hpa: hpa.saveState() },
    replicasOf: withoutQuestion,
  };
}

/** What an answer means where nothing was asked. */
export function withoutQuestion(): never {
  throw new Error('There was no question.');
}
