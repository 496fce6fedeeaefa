import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';
import type { Feature, GraphApplication, GraphService } from './graph-application.ts';
import { everyService } from './graph-application.ts';
import { instantiate, savedInstance } from './instance.ts';
import type { Instance, InstanceState } from './instance.ts';

/** Share of the calls that a version on trial gets, one stage after the other. */
const TRIAL_SHARES = [0.1, 0.25, 0.5] as const;
/** Control steps of a stage: five minutes. */
const TRIAL_STEPS = 20;
/** A version whose service time is longer than before by more than this is taken back. */
const WORST_ACCEPTED = 1.15;
/** Standard deviation of the logarithm of a new version's service time against the old, and its limits. */
const SLOWNESS_DEVIATION = 0.25;
const SLOWNESS_LIMITS = [0.6, 1.6] as const;
/** Share of new pods that get a sidecar, of services that have one. */
const SIDECAR_SHARE = 0.85;
/** Share of the features without hours that are there when an episode begins. */
const INITIAL_SHARE = 0.4;

/** State of a {@link Lifecycle} as JSON. */
export interface LifecycleState {
  readonly generator: GeneratorState;
  readonly nextIdentity: number;
  readonly versions: Readonly<Record<string, number>>;
  readonly instances: readonly InstanceState[];
}

/** What a lifecycle did to the slots in one step. */
export interface SlotChanges {
  /** Slots that are empty now. */
  readonly left: number[];
  /** Versions that are new; their pods are to be started. */
  readonly entered: Instance[];
  /** Whether the calls go other ways now; true whenever anything left. */
  rerouted: boolean;
}

/**
 * Which services are there, in which slots. Everything random follows from its own generator, so the same seed gives the
 * same changes at the same steps, whatever the agent does.
 *
 * 1. A newcomer takes the lowest free slot under an identity that was never used before. It gets calls once its pods are
 *    ready, and at the soonest one step after it appeared.
 * 2. What leaves gets no more calls, drains for one step, and is gone.
 * 3. A version on trial gets 10, 25, 50 % of the calls for five minutes each. Then it takes over and the old one leaves;
 *    it leaves itself if it is more than 15 % slower.
 * 4. Features with hours are there between their hours, as far as slots are free.
 */
export class Lifecycle {
  private readonly application: GraphApplication;
  private readonly bases: ReadonlyMap<string, GraphService>;
  private readonly slots: number;
  private readonly changeProbability: number;
  private generator = new Generator(0);
  private nextIdentity = 1;
  private versions: Record<string, number> = {};
  private list: Instance[] = [];

  /** @param changeProbability of a new change in a step. */
  constructor(application: GraphApplication, slots: number, changeProbability: number) {
    this.application = application;
    this.bases = new Map(everyService(application).map((service) => [service.name, service]));
    this.slots = slots;
    this.changeProbability = changeProbability;
  }

  /** Who is there, in the order in which they came. */
  get instances(): readonly Instance[] {
    return this.list;
  }

  /** Starts an episode: the services that are always there, and some features, all of them serving. */
  reset(generator: Generator, hour: number): void {
    this.generator = generator;
    this.nextIdentity = 1;
    this.versions = {};
    this.list = [];
    for (const service of this.application.services) this.admit(service, null, 'serving', 1);
    const order = [...this.application.features.keys()];
    generator.shuffle(order);
    for (const feature of order.map((index) => this.application.features[index])) {
      const offered = feature.hours ? isWithin(hour, feature.hours) : generator.uniform() < INITIAL_SHARE;
      if (offered && this.changeProbability > 0) this.addFeature(feature, 'serving');
    }
  }

  /**
   * One control step later.
   * @param isReady whether a slot has a ready pod.
   */
  advance(hour: number, isReady: (slot: number) => boolean): SlotChanges {
    const changes: SlotChanges = { left: this.removeDrained(), entered: [], rerouted: false };
    if (changes.left.length > 0) changes.rerouted = true;
    if (this.openRoutes(isReady)) changes.rerouted = true;
    if (this.continueTrials()) changes.rerouted = true;
    if (this.changeProbability === 0) return changes;
    if (this.keepHours(hour, changes)) changes.rerouted = true;
    if (this.generator.uniform() < this.changeProbability && this.beginChange(changes)) changes.rerouted = true;
    return changes;
  }

  saveState(): LifecycleState {
    return {
      generator: this.generator.saveState(),
      nextIdentity: this.nextIdentity,
      versions: { ...this.versions },
      instances: this.list.map(savedInstance),
    };
  }

  loadState(state: LifecycleState): void {
    this.generator = new Generator(0);
    this.generator.loadState(state.generator);
    this.nextIdentity = state.nextIdentity;
    this.versions = { ...state.versions };
    this.list = state.instances.map((instance) => instantiate(instance, this.bases.get(instance.base)!));
  }

  private removeDrained(): number[] {
    const left = this.list.filter(({ phase }) => phase === 'draining').map(({ slot }) => slot);
    if (left.length > 0) this.list = this.list.filter(({ phase }) => phase !== 'draining');
    return left;
  }

  /** Newcomers whose pods are ready, and those of a feature only all together, begin to serve. */
  private openRoutes(isReady: (slot: number) => boolean): boolean {
    const starting = this.list.filter(({ phase }) => phase === 'starting');
    const waiting = new Set(starting.filter(({ slot }) => !isReady(slot)).map(groupOf));
    const opening = starting.filter((instance) => !waiting.has(groupOf(instance)));
    for (const instance of opening) {
      if (instance.feature !== null) this.update(instance, { phase: 'serving', share: 1 });
      else {
        const old = this.list.find((each) => each.base === instance.base && each.phase === 'serving')!;
        this.update(instance, { phase: 'serving', share: TRIAL_SHARES[0], stepsLeft: TRIAL_STEPS });
        this.update(old, { share: 1 - TRIAL_SHARES[0] });
      }
    }
    return opening.length > 0;
  }

  private continueTrials(): boolean {
    let rerouted = false;
    for (const trial of this.list.filter(({ stepsLeft }) => stepsLeft > 0)) {
      if (trial.stepsLeft > 1) this.update(trial, { stepsLeft: trial.stepsLeft - 1 });
      else {
        this.endStage(trial);
        rerouted = true;
      }
    }
    return rerouted;
  }

  private endStage(trial: Instance): void {
    const old = this.list.find(({ base, identity }) => base === trial.base && identity !== trial.identity)!;
    const next = TRIAL_SHARES.find((share) => share > trial.share);
    if (next !== undefined) {
      this.update(trial, { share: next, stepsLeft: TRIAL_STEPS });
      this.update(old, { share: 1 - next });
      return;
    }
    const [kept, leaving] = trial.slowness > WORST_ACCEPTED * old.slowness ? [old, trial] : [trial, old];
    this.update(kept, { share: 1, stepsLeft: 0 });
    this.update(leaving, { share: 0, stepsLeft: 0, phase: 'draining' });
  }

  private keepHours(hour: number, changes: SlotChanges): boolean {
    let rerouted = false;
    for (const feature of this.application.features) {
      if (!feature.hours) continue;
      const offered = isWithin(hour, feature.hours);
      if (offered && this.isAbsent(feature)) changes.entered.push(...this.addFeature(feature, 'starting'));
      else if (!offered && this.isServing(feature)) {
        this.drainFeature(feature);
        rerouted = true;
      }
    }
    return rerouted;
  }

  /** Draws one of the changes that are possible now. @returns whether calls go other ways at once. */
  private beginChange(changes: SlotChanges): boolean {
    const anytime = this.application.features.filter(({ hours }) => !hours);
    const adding = anytime.filter((feature) => this.isAbsent(feature) && feature.services.length <= this.freeSlots());
    const removing = anytime.filter((feature) => this.isServing(feature));
    const trying = this.freeSlots() > 0 ? this.list.filter((instance) => this.mayBeTried(instance)) : [];
    const count = adding.length + removing.length + trying.length;
    if (count === 0) return false;
    const chosen = this.generator.integer(count);
    if (chosen < adding.length) changes.entered.push(...this.addFeature(adding[chosen], 'starting'));
    else if (chosen < adding.length + removing.length) {
      this.drainFeature(removing[chosen - adding.length]);
      return true;
    } else changes.entered.push(this.tryVersion(trying[chosen - adding.length - removing.length]));
    return false;
  }

  private mayBeTried({ base, phase }: Instance): boolean {
    return (
      this.bases.get(base)!.canaries &&
      phase === 'serving' &&
      this.list.filter((each) => each.base === base).length === 1
    );
  }

  private tryVersion({ base, slowness }: Instance): Instance {
    const change = Math.exp(SLOWNESS_DEVIATION * this.generator.normal());
    const [low, high] = SLOWNESS_LIMITS;
    return this.admit(this.bases.get(base)!, null, 'starting', Math.min(high, Math.max(low, slowness * change)));
  }

  /** @returns the versions admitted; none when the slots do not suffice. */
  private addFeature(feature: Feature, phase: 'starting' | 'serving'): Instance[] {
    if (feature.services.length > this.freeSlots()) return [];
    return feature.services.map((service) => this.admit(service, feature.name, phase, 1));
  }

  private drainFeature(feature: Feature): void {
    for (const instance of this.list.filter((each) => each.feature === feature.name)) {
      this.update(instance, { phase: 'draining', share: 0 });
    }
  }

  private admit(base: GraphService, feature: string | null, phase: 'starting' | 'serving', slowness: number): Instance {
    const version = feature === null ? (this.versions[base.name] ?? 0) + 1 : 1;
    this.versions[base.name] = version;
    const newcomer = feature !== null || version > 1;
    const state: InstanceState = {
      slot: this.lowestFreeSlot(),
      identity: this.nextIdentity++,
      base: base.name,
      version,
      slowness,
      sidecar: base.sidecar && (!newcomer || this.generator.uniform() < SIDECAR_SHARE),
      feature,
      phase,
      share: phase === 'serving' ? 1 : 0,
      stepsLeft: 0,
    };
    const instance = instantiate(state, base);
    this.list.push(instance);
    return instance;
  }

  private update(instance: Instance, changes: Partial<InstanceState>): void {
    this.list[this.list.indexOf(instance)] = { ...instance, ...changes };
  }

  private isAbsent({ name }: Feature): boolean {
    return this.list.every(({ feature }) => feature !== name);
  }

  private isServing({ name }: Feature): boolean {
    const instances = this.list.filter(({ feature }) => feature === name);
    return instances.length > 0 && instances.every(({ phase }) => phase === 'serving');
  }

  private freeSlots(): number {
    return this.slots - this.list.length;
  }

  private lowestFreeSlot(): number {
    const taken = new Set(this.list.map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    return slot;
  }
}

/** What begins to serve together. */
function groupOf({ feature, identity }: Instance): string {
  return feature ?? String(identity);
}

function isWithin(hour: number, [from, to]: readonly [number, number]): boolean {
  return hour >= from && hour < to;
}
