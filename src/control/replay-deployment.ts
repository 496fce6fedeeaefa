import type { ControlDecision, ControlStore, DeploymentRecord, ReplayResult } from '../contracts/control.ts';
import { CoxswainError } from '../contracts/errors.ts';
import type { ArtifactStore } from '../contracts/stores.ts';
import { loadPolicy } from '../rl/policy.ts';
import type { Policy } from '../rl/policy.ts';
import { applicationOf } from '../rl/twin/application-of.ts';
import { liveDeployment } from './live-deployment.ts';
import type { LiveDeployment } from './live-deployment.ts';
import { lastDecisions, replayDecisions } from './replay.ts';

/** What a replay reads. */
export interface ReplayPorts {
  readonly control: ControlStore;
  readonly artifacts: Pick<ArtifactStore, 'get'>;
}

/** Which steps to compute again, and who wants to know how far it is. */
export interface ReplayRange {
  /** The first one. Default 0. */
  readonly from?: number;
  /** The last one. Default the last that is recorded. */
  readonly to?: number;
  /** Called after each page with the steps computed so far. */
  readonly onProgress?: (steps: number) => void;
  readonly signal?: AbortSignal;
}

const pageSize = 500;

/**
 * Computes the recorded decisions of a deployment again, with the policies and specs that it had: a deployment that was
 * opened several times has had several.
 * @throws CoxswainError REPLAY_DIFFERS at the first decision that differs by a bit; DEPLOYMENT_NOT_FOUND; ARTIFACT_NOT_FOUND
 * when a policy is not in the artifact store; what `signal` was aborted with.
 */
export async function replayDeployment(
  ports: ReplayPorts,
  name: string,
  range: ReplayRange = {},
): Promise<ReplayResult> {
  const openings = await ports.control.deploymentHistory(name);
  if (openings.length === 0) {
    throw new CoxswainError('DEPLOYMENT_NOT_FOUND', `No deployment has the name ${JSON.stringify(name)}.`);
  }
  const total = { steps: 0, policyAnswers: 0 };
  let opened: OpenedRecord | null = null;
  let recent: readonly ControlDecision[] = [];
  try {
    for await (const page of pagesOf(ports.control, name, range)) {
      for (const { opening, decisions } of groupsOf(page, openings)) {
        if (opened?.opening !== opening) {
          await opened?.policy.dispose();
          opened = await openRecord(ports, opening);
        }
        const { steps, policyAnswers } = await replayDecisions(opened.live, decisions, opened.policy, recent);
        total.steps += steps;
        total.policyAnswers += policyAnswers;
        recent = lastDecisions([...recent, ...decisions]);
      }
      range.onProgress?.(total.steps);
    }
  } finally {
    await opened?.policy.dispose();
  }
  return total;
}

/** What one opening's decisions are computed with. */
interface OpenedRecord {
  readonly opening: DeploymentRecord;
  readonly live: LiveDeployment;
  readonly policy: Policy;
}

async function openRecord({ artifacts }: ReplayPorts, opening: DeploymentRecord): Promise<OpenedRecord> {
  const twin = opening.twin && (await artifacts.get(opening.twin));
  const live = liveDeployment(opening, applicationOf(opening.environment.name, twin));
  return { opening, live, policy: await loadPolicy(await artifacts.get(opening.policy)) };
}

/** Rising steps, beginning with the one before the range: what the first one remembered is in it. */
async function* pagesOf(
  control: ControlStore,
  deployment: string,
  { from = 0, to = Infinity, signal }: ReplayRange,
): AsyncGenerator<readonly ControlDecision[], void> {
  for (let afterStep = from - 2; ;) {
    signal?.throwIfAborted();
    const page = await control.readDecisions({ deployment, afterStep, limit: pageSize });
    yield page.filter(({ step }) => step <= to);
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize || last.step >= to) return;
    afterStep = last.step;
  }
}

/** The decisions by the opening that they were made in. */
function groupsOf(
  decisions: readonly ControlDecision[],
  openings: readonly DeploymentRecord[],
): { readonly opening: DeploymentRecord; readonly decisions: ControlDecision[] }[] {
  const groups: { opening: DeploymentRecord; decisions: ControlDecision[] }[] = [];
  for (const decision of decisions) {
    const opening = openings.findLast(({ openedAt }) => openedAt <= decision.at) ?? openings[0];
    if (groups.at(-1)?.opening !== opening) groups.push({ opening, decisions: [] });
    groups.at(-1)!.decisions.push(decision);
  }
  return groups;
}
