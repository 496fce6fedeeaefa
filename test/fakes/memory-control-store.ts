import { isDeepStrictEqual } from 'node:util';
import type { PausedOwner } from '../../src/contracts/cluster.ts';
import type {
  ControlDecision,
  ControlEvent,
  ControlStore,
  DecisionQuery,
  DeploymentRecord,
} from '../../src/contracts/control.ts';
import { pageLimit, pageSizes } from '../../src/store/page-limit.ts';
import { decisionMissing, deploymentConflict, deploymentNotFound, workloadClaimed } from '../../src/store/refusals.ts';

/** Deployments, decisions and events in memory. */
export class MemoryControlStore implements ControlStore {
  private readonly deployments = new Map<string, DeploymentRecord>();
  /** Records that a later opening has replaced. */
  private readonly ended = new Map<string, readonly DeploymentRecord[]>();
  private readonly decisions = new Map<string, Map<number, ControlDecision>>();
  private readonly events: ControlEvent[] = [];

  async openDeployment(record: DeploymentRecord): Promise<void> {
    const { name } = record;
    const present = this.deployments.get(name);
    if (present?.status === 'running') {
      // Specs from before there was placement have none.
      if (isDeepStrictEqual({ placement: null, ...(present.spec as object) }, record.spec)) return;
      throw deploymentConflict(name);
    }
    for (const { workload } of [...record.services].sort((a, b) => (a.workload < b.workload ? -1 : 1))) {
      const holder = this.holderOf(workload);
      if (holder !== undefined) throw workloadClaimed(workload, name, holder);
    }
    if (present !== undefined) this.ended.set(name, [...(this.ended.get(name) ?? []), present]);
    this.deployments.set(name, structuredClone({ ...record, status: 'running', failure: null, closedAt: null }));
  }

  async getDeployment(name: string): Promise<DeploymentRecord | null> {
    return structuredClone(this.deployments.get(name) ?? null);
  }

  async listDeployments(): Promise<readonly DeploymentRecord[]> {
    const records = structuredClone([...this.deployments.values()]);
    return records.sort((a, b) => b.openedAt.getTime() - a.openedAt.getTime() || (a.name < b.name ? -1 : 1));
  }

  async deploymentHistory(name: string): Promise<readonly DeploymentRecord[]> {
    const last = this.deployments.get(name);
    return structuredClone([...(this.ended.get(name) ?? []), ...(last === undefined ? [] : [last])]);
  }

  async closeDeployment(
    name: string,
    { status, failure, at }: Parameters<ControlStore['closeDeployment']>[1],
  ): Promise<void> {
    const present = this.deployments.get(name);
    if (present?.status === 'running') this.deployments.set(name, { ...present, status, failure, closedAt: at });
  }

  async recordPausedOwners(name: string, owners: readonly PausedOwner[]): Promise<void> {
    const present = this.deployments.get(name);
    if (present === undefined) throw deploymentNotFound(name);
    const added = owners.filter((owner) => !present.pausedOwners.some((known) => isDeepStrictEqual(known, owner)));
    this.deployments.set(name, { ...present, pausedOwners: structuredClone([...present.pausedOwners, ...added]) });
  }

  async writeDecision(decision: ControlDecision): Promise<ControlDecision> {
    const steps = this.decisions.get(decision.deployment) ?? new Map<number, ControlDecision>();
    this.decisions.set(decision.deployment, steps);
    if (!steps.has(decision.step)) {
      steps.set(decision.step, structuredClone({ ...decision, result: null, summary: null }));
    }
    return structuredClone(steps.get(decision.step)!);
  }

  async completeDecision(
    deployment: string,
    step: number,
    end: Parameters<ControlStore['completeDecision']>[2],
  ): Promise<void> {
    const present = this.decisions.get(deployment)?.get(step);
    if (present === undefined) throw decisionMissing(deployment, step);
    if (present.summary === null) {
      this.decisions.get(deployment)!.set(step, { ...present, ...structuredClone(end) });
    }
  }

  async getDecision(deployment: string, step: number): Promise<ControlDecision | null> {
    return structuredClone(this.decisions.get(deployment)?.get(step) ?? null);
  }

  async latestDecision(deployment: string): Promise<ControlDecision | null> {
    return structuredClone(this.stepsOf(deployment).at(-1) ?? null);
  }

  async readDecisions({ deployment, afterStep = -1, limit }: DecisionQuery): Promise<readonly ControlDecision[]> {
    const above = this.stepsOf(deployment).filter(({ step }) => step > afterStep);
    return structuredClone(above.slice(0, pageLimit(limit, pageSizes.decisions)));
  }

  async addEvent(event: ControlEvent): Promise<void> {
    const key = ({ deployment, step, kind, message }: ControlEvent): unknown[] => [deployment, step, kind, message];
    if (!this.events.some((other) => isDeepStrictEqual(key(other), key(event)))) this.events.push({ ...event });
  }

  async listEvents(deployment: string): Promise<readonly ControlEvent[]> {
    const events = this.events.filter((event) => event.deployment === deployment).reverse();
    const newestFirst = events.sort((a, b) => b.at.getTime() - a.at.getTime());
    return structuredClone(newestFirst.slice(0, pageSizes.controlEvents.max));
  }

  private holderOf(workload: string): string | undefined {
    const running = [...this.deployments.values()].filter(({ status }) => status === 'running');
    return running.find(({ services }) => services.some((service) => service.workload === workload))?.name;
  }

  private stepsOf(deployment: string): ControlDecision[] {
    return [...(this.decisions.get(deployment)?.values() ?? [])].sort((a, b) => a.step - b.step);
  }
}
