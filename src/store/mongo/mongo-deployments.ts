import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Collection, Db } from 'mongodb';
import type { PausedOwner } from '../../contracts/cluster.ts';
import type { ControlStore, DeploymentRecord } from '../../contracts/control.ts';
import { CoxswainError } from '../../contracts/errors.ts';
import { deploymentConflict, deploymentNotFound, workloadClaimed } from '../refusals.ts';
import type { DeploymentDocument, WorkloadClaimDocument } from './collections.ts';
import { collectionOf } from './collections.ts';
import { fromStored, toStored } from './document-values.ts';
import type { Revision } from './revision-chain.ts';
import { RevisionChain } from './revision-chain.ts';

/** An opening that has not moved for so long belongs to a process that is gone. */
const openingPatienceMs = 2_000;
const pollMs = 25;
/** Bounds the waiting of one call, whatever others do. */
const openTimeoutMs = 30_000;

type State = Omit<DeploymentDocument, '_id'>;

/**
 * Deployments in MongoDB, and who has which workload.
 *
 * 1. Opening is three insertions: the deployment's revision `opening`, a claim a workload for this opening, and the
 *    deployment's next revision `running`. The last one decides: from then on the claims count, all of them at once.
 * 2. A claim counts while its deployment is `opening` or `running` in the opening that it was made for. So a process
 *    that dies half-way, and a deployment that stops, leave nothing to clean up.
 * 3. Who meets an opening waits for its end; one that does not move is closed by inserting the revision that would have
 *    been its `running`. Its process, should it live, finds that place taken and begins again. No clock decides who has a
 *    workload, only how long one waits.
 * 4. Workloads are claimed in the order of their names, so of deployments that open at once none waits in a circle.
 */
export class MongoDeployments {
  private readonly deployments: Collection<DeploymentDocument>;
  private readonly states: RevisionChain<DeploymentDocument>;
  private readonly claims: RevisionChain<WorkloadClaimDocument>;

  constructor(db: Db) {
    this.deployments = collectionOf(db, 'deployments');
    this.states = new RevisionChain(this.deployments);
    this.claims = new RevisionChain(collectionOf(db, 'workloadClaims'));
  }

  async openDeployment(record: DeploymentRecord): Promise<void> {
    const deadline = performance.now() + openTimeoutMs;
    while (performance.now() < deadline) {
      const current = await this.settled(record.name);
      if (current?.document.phase === 'running') {
        if (isSameSpec(current.document, record)) return;
        throw deploymentConflict(record.name);
      }
      if (await this.tryToOpen(record, current)) return;
    }
    const message = `Deployment ${record.name} is opened and closed by others all the time. Try again.`;
    throw new CoxswainError('STORE_UNAVAILABLE', message);
  }

  async getDeployment(name: string): Promise<DeploymentRecord | null> {
    const latest = await this.states.latest([name]);
    return latest === null ? null : toRecord(latest.document);
  }

  async listDeployments(): Promise<readonly DeploymentRecord[]> {
    const latest = new Map<string, DeploymentDocument>();
    for (const document of await this.deployments.find().toArray()) {
      const other = latest.get(document.name);
      if (other === undefined || revisionOf(other) < revisionOf(document)) latest.set(document.name, document);
    }
    return [...latest.values()]
      .flatMap((document) => toRecord(document) ?? [])
      .sort((a, b) => b.openedAt.getTime() - a.openedAt.getTime() || (a.name < b.name ? -1 : 1));
  }

  async deploymentHistory(name: string): Promise<readonly DeploymentRecord[]> {
    const revisions = await this.deployments.find({ name }).toArray();
    const openings = new Map<number, DeploymentDocument>();
    for (const document of revisions.sort((a, b) => revisionOf(a) - revisionOf(b))) {
      // The record of one that is being opened, or could not be, is still that of before.
      const ran = openings.has(document.opening) || document.phase === 'running';
      if (ran) openings.set(document.opening, document);
    }
    return [...openings.values()].flatMap((document) => toRecord(document) ?? []);
  }

  async closeDeployment(name: string, end: Parameters<ControlStore['closeDeployment']>[1]): Promise<void> {
    await this.states.change([name], (current) => {
      if (current === null || current.phase === 'closed') return null;
      if (current.phase === 'opening') return closed(current);
      const record = { ...fromStored<object>(current.record), status: end.status, failure: end.failure };
      return { ...stateOf(current), phase: 'closed', record: toStored(record), closedAt: end.at };
    });
  }

  async recordPausedOwners(name: string, owners: readonly PausedOwner[]): Promise<void> {
    await this.states.change([name], (current) => {
      const record = fromStored<DeploymentRecord | null>(current?.record ?? null);
      if (current === null || record === null) throw deploymentNotFound(name);
      const added = owners.filter((owner) => !record.pausedOwners.some((known) => isDeepStrictEqual(known, owner)));
      if (added.length === 0) return null;
      const pausedOwners = [...record.pausedOwners, ...added];
      return { ...stateOf(current), record: toStored({ ...record, pausedOwners }) };
    });
  }

  /** False when another process was faster and all must begin again. */
  private async tryToOpen(record: DeploymentRecord, before: Revision<DeploymentDocument> | null): Promise<boolean> {
    const { name } = record;
    const opening = (before?.number ?? 0) + 1;
    const state = before === null ? blankState(name) : stateOf(before.document);
    if (!(await this.states.append([name], opening, { ...state, phase: 'opening', opening }))) return false;
    for (const workload of workloadsOf(record)) {
      const holder = await this.claim(workload, name, opening);
      if (holder === null) continue;
      await this.states.append([name], opening + 1, closed({ ...state, opening }));
      throw workloadClaimed(workload, name, holder);
    }
    return this.states.append([name], opening + 1, toState(record, opening));
  }

  /** Null when the workload is claimed for the opening; otherwise the name of the deployment that has it. */
  private async claim(workload: string, deployment: string, opening: number): Promise<string | null> {
    for (;;) {
      const last = await this.claims.latest([workload]);
      if (last !== null && last.document.deployment !== deployment && (await this.counts(last.document))) {
        return last.document.deployment;
      }
      const number = (last?.number ?? 0) + 1;
      if (await this.claims.append([workload], number, { workload, deployment, opening })) return null;
      await delay(pollMs * Math.random());
    }
  }

  private async counts(claim: WorkloadClaimDocument): Promise<boolean> {
    const holder = await this.settled(claim.deployment, claim.opening);
    return holder?.document.phase === 'running' && holder.document.opening === claim.opening;
  }

  /**
   * The last revision of a deployment once nobody is opening it (or nobody in the opening `only`). An opening that does
   * not move is closed.
   */
  private async settled(name: string, only?: number): Promise<Revision<DeploymentDocument> | null> {
    const seen = { number: 0, since: 0 };
    for (;;) {
      const latest = await this.states.latest([name]);
      if (latest?.document.phase !== 'opening') return latest;
      if (only !== undefined && latest.document.opening !== only) return latest;
      if (latest.number !== seen.number) Object.assign(seen, { number: latest.number, since: performance.now() });
      else if (performance.now() - seen.since >= openingPatienceMs) {
        await this.states.append([name], latest.number + 1, closed(latest.document));
      }
      await delay(pollMs);
    }
  }
}

function workloadsOf({ services }: DeploymentRecord): string[] {
  return [...new Set(services.map(({ workload }) => workload))].sort();
}

function isSameSpec({ record }: DeploymentDocument, { spec }: DeploymentRecord): boolean {
  // As JSON, so that what is undefined in one counts as absent.
  const wanted: unknown = JSON.parse(JSON.stringify(spec));
  // Specs from before there was placement have none.
  const stored: object = fromStored<DeploymentRecord>(record).spec;
  return isDeepStrictEqual({ placement: null, ...stored }, wanted);
}

function blankState(name: string): State {
  return { name, phase: 'closed', opening: 0, record: null, openedAt: null, closedAt: null };
}

function stateOf({ name, phase, opening, record, openedAt, closedAt }: State): State {
  return { name, phase, opening, record, openedAt, closedAt };
}

function closed(state: State): State {
  return { ...stateOf(state), phase: 'closed' };
}

function toState({ openedAt, closedAt: _closedAt, ...record }: DeploymentRecord, opening: number): State {
  const running = { ...record, status: 'running', failure: null };
  return { name: record.name, phase: 'running', opening, record: toStored(running), openedAt, closedAt: null };
}

function toRecord({ record, openedAt, closedAt }: DeploymentDocument): DeploymentRecord | null {
  if (record === null || openedAt === null) return null;
  return { ...fromStored<DeploymentRecord>(record), openedAt, closedAt };
}

function revisionOf({ _id }: DeploymentDocument): number {
  return (JSON.parse(_id) as [string, number])[1];
}
