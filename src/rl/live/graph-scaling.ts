import type { MetricsSnapshot } from '../../contracts/cluster-metrics.ts';
import type { ControlObservation, SlotMemory, SlotOccupant } from '../../contracts/control.ts';
import { createHpa } from '../baselines/hpa.ts';
import type { Hpa } from '../baselines/hpa.ts';
import { everyService } from '../environments/service-graph/graph-application.ts';
import type { GraphApplication, GraphService } from '../environments/service-graph/graph-application.ts';
import { GraphDecision } from '../environments/service-graph/graph-decision.ts';
import { parseServiceGraphParameters } from '../environments/service-graph/options.ts';
import type { CompleteParameters } from '../environments/service-graph/options.ts';
import { validateGraphApplication } from '../environments/service-graph/validate-graph-application.ts';
import { twinGraphParameters } from '../environments/twin/scaling.ts';
import { liveGraph } from './live-graph.ts';
import type { GraphSnapshot } from './live-graph.ts';
import { flawsOfRequests, flawsOfService, hpaFlaw, LiveMonitor } from './live-monitor.ts';
import type { LiveDecision, LiveMemory, LiveScaling, LiveScalingOptions } from './live-scaling.ts';
import { withoutQuestion } from './service-scaling.ts';
import { nextSlots, withoutSlot } from './slots.ts';

const DAY_SECONDS = 86_400;

/**
 * Decides as an agent does in the simulations whose services come and go: service-graph and twin-graph.
 *
 * 1. A service that comes and goes may be missing: its slot is empty, and neither policy nor HPA says anything about it.
 *    Services that are always there in the simulation must be there.
 * 2. A newcomer is seen without calls until its metrics are complete for the first time, and is left as it is until then;
 *    from then on a figure that is missing is a flaw, as it is of every other service.
 * 3. Where more services are there than slots, those that came last are not steered by the policy.
 */
export class GraphScaling implements LiveScaling {
  readonly sloSeconds: number;
  readonly rateSteps = 1;
  readonly seesCalls = true;
  private readonly services: readonly GraphService[];
  /** Services that must be there; they are the first ones. */
  private readonly always: number;
  private readonly parameters: CompleteParameters;
  private readonly hpaTargetPercent: number;

  /** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range, or the slots do not suffice. */
  constructor({ graph, environment, hpaTargetPercent }: LiveScalingOptions & { readonly graph: GraphApplication }) {
    this.parameters =
      environment.name === 'twin-graph'
        ? twinGraphParameters(graph, environment.parameters)
        : parseServiceGraphParameters(environment.parameters);
    this.services = everyService(validateGraphApplication(graph, this.parameters.nodes));
    this.always = graph.services.length;
    this.hpaTargetPercent = hpaTargetPercent;
    this.sloSeconds = this.parameters.sloSeconds;
  }

  decide(observation: ControlObservation, atSeconds: number, memory: LiveMemory | null): LiveDecision {
    const hpa = createHpa({ targetPercent: this.hpaTargetPercent });
    if (memory?.hpa != null) hpa.loadState(memory.hpa);
    const flawsForHpa = this.services.map(({ name }, s) => hpaFlaw(observation, s, name));
    const required = flawsForHpa.slice(0, this.always).flatMap((flaw) => flaw ?? []);
    const hpaReplicas = required.length > 0 ? null : this.hpaWish(hpa, observation, atSeconds, flawsForHpa);
    const present = [...this.services.keys()].filter((s) => observation.workloads[s] !== null);
    const slots = this.measured(nextSlots(memory?.slots ?? null, present, this.parameters.nodes), observation.metrics);
    const notes = this.notesOf(slots, present);
    const carried = { hpa: hpa.saveState(), slots };

    const flaws = required.length > 0 ? required : this.flawsForPolicy(observation.metrics, slots);
    if (flaws.length > 0) {
      return { hpaReplicas, question: null, flaws, notes, memory: carried, replicasOf: withoutQuestion };
    }
    const metrics = observation.metrics as GraphSnapshot;
    const source = liveGraph(observation, metrics, atSeconds, slots.occupants, this.services);
    const decision = new GraphDecision(source, this.parameters);
    decision.prepare((atSeconds % DAY_SECONDS) / DAY_SECONDS);
    return {
      hpaReplicas,
      question: { observation: decision.observation, mask: decision.mask },
      flaws,
      notes,
      memory: carried,
      replicasOf: (action) => {
        const replicas = new Int32Array(slots.occupants.length);
        decision.replicasOf(action, replicas);
        return this.byService(slots, replicas);
      },
    };
  }

  /** Of a service of which it cannot decide it says nothing; of one that is gone it remembers nothing. */
  private hpaWish(
    hpa: Hpa,
    observation: ControlObservation,
    atSeconds: number,
    flaws: readonly (string | null)[],
  ): (number | null)[] {
    const monitor = new LiveMonitor(this.services);
    monitor.showCluster(observation, atSeconds);
    return this.services.map((_, s) => {
      if (observation.workloads[s] === null) hpa.forget(s);
      return flaws[s] === null ? hpa.decideService(monitor.view, s) : null;
    });
  }

  /** Notes whose metrics are complete for the first time. */
  private measured({ occupants, nextIdentity }: SlotMemory, metrics: MetricsSnapshot | null): SlotMemory {
    const isMeasured = ({ service }: SlotOccupant): boolean =>
      service < this.always || (metrics?.graph !== undefined && this.flawsOf(service, metrics).length === 0);
    return {
      occupants: occupants.map((one) => one && { ...one, measured: one.measured || isMeasured(one) }),
      nextIdentity,
    };
  }

  private flawsForPolicy(metrics: MetricsSnapshot | null, { occupants }: SlotMemory): string[] {
    if (metrics === null) return ['the metrics are not there'];
    if (metrics.graph === undefined) return ['the calls between the services are not in the metrics'];
    const measured = occupants.flatMap((one) => (one?.measured ? [one.service] : []));
    const nameOf = (service: number): string => this.services[service].name;
    return [
      ...flawsOfRequests(metrics, this.rateSteps),
      ...measured.flatMap((service) => this.flawsOf(service, metrics)),
      ...metrics.graph.edges
        .filter((edge) => edge.p95Seconds === null && measured.includes(edge.source) && measured.includes(edge.target))
        .map(({ source, target }) => `the time of calls from ${nameOf(source)} to ${nameOf(target)} is not known`),
    ];
  }

  private flawsOf(service: number, { services, graph }: MetricsSnapshot): string[] {
    const { name } = this.services[service];
    const flaws = flawsOfService(services[service], name);
    return graph?.podMemoryBytes[service] === null ? [...flaws, `${name}: its memory is not known`] : flaws;
  }

  private notesOf({ occupants }: SlotMemory, present: readonly number[]): string[] {
    const waiting = occupants.flatMap((one) =>
      one !== null && !one.measured ? [this.services[one.service].name] : [],
    );
    const seatless = withoutSlot(occupants, present).map((service) => this.services[service].name);
    return [
      ...waiting.map(
        (name) => `${name}: its metrics are not complete yet; the policy leaves it as it is until they are`,
      ),
      ...seatless.map((name) => `${name}: all ${occupants.length} slots are taken; the policy leaves it as it is`),
    ];
  }

  private byService({ occupants }: SlotMemory, replicas: Int32Array): (number | null)[] {
    const found = new Map(occupants.map((occupant, slot) => [occupant?.service, replicas[slot]]));
    return this.services.map((_, service) => found.get(service) ?? null);
  }
}
