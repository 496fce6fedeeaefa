import type {
  ControlDecision,
  ControlEvent,
  ControlMode,
  ControlStatus,
  DeploymentSpec,
} from '../contracts/control.ts';
import { controlModes } from '../contracts/control.ts';
import { CoxswainError } from '../contracts/errors.ts';
import { workflowTypes } from '../contracts/pipeline.ts';
import type { Store } from '../contracts/stores.ts';
import { specSha256 } from '../spec/canonical-json.ts';
import { parseDeploymentSpec } from '../spec/deployment-spec.ts';
import type { ControlChange, ControlEngine } from './control-engine.ts';
import { deploymentFrom } from './deployment.ts';
import type { Deployment } from './deployment.ts';
import type { WorkflowState } from './run-engine.ts';

/** What opening a deployment did. */
export interface OpenedDeployment {
  readonly name: string;
  readonly specSha256: string;
  /** False when it ran with this spec already. */
  readonly created: boolean;
}

/** Which decisions to read. */
export interface DecisionRequest {
  /** Only the last so many, 1 … 1 000; not together with `afterStep`. */
  readonly last?: number;
  /** Steps above it. */
  readonly afterStep?: number;
  /** 1 … 1 000, default 200. */
  readonly limit?: number;
}

/**
 * Deployments from TypeScript. Every method may throw TEMPORAL_UNAVAILABLE or STORE_UNAVAILABLE, within about ten seconds;
 * those that take a name DEPLOYMENT_NOT_FOUND.
 */
export interface Deployments {
  /**
   * Starts the control loop of a spec. The same spec again, while it runs, is the same deployment; after its end it is
   * opened again. What the cluster says to it is in its status. SPEC_INVALID, DEPLOYMENT_CONFLICT.
   */
  open(spec: unknown): Promise<OpenedDeployment>;
  status(name: string): Promise<Deployment>;
  /** Those that are being opened or run first, then newest first. */
  list(): Promise<readonly Deployment[]>;
  /** Nothing acts until `resume`. DEPLOYMENT_NOT_RUNNING. */
  pause(name: string): Promise<ControlStatus>;
  /** Ends a pause, and gives the policy back its place after a fallback. DEPLOYMENT_NOT_RUNNING. */
  resume(name: string): Promise<ControlStatus>;
  /** Ends the loop; nothing happens to one that is over. A lost one is closed as it should have been. */
  stop(name: string): Promise<Deployment>;
  /** DEPLOYMENT_NOT_RUNNING; REQUEST_INVALID for what is no mode. */
  setMode(name: string, mode: ControlMode): Promise<ControlStatus>;
  /** The calibrated HPA takes over. DEPLOYMENT_NOT_RUNNING. */
  fallBack(name: string, reason: string): Promise<ControlStatus>;
  /** Rising steps. REQUEST_INVALID for a limit out of range. */
  decisions(name: string, request?: DecisionRequest): Promise<readonly ControlDecision[]>;
  /** Newest first; at most 200. */
  events(name: string): Promise<readonly ControlEvent[]>;
}

/** Loops that are looked for in Temporal when deployments are listed. */
const maxOpenLoops = 1_000;

/** {@link Deployments} over Temporal and the store. */
export function createDeployments(engine: ControlEngine, { control }: Store): Deployments {
  /** What Temporal has under the name: an id may belong to something that is no control loop. */
  async function workflow(name: string): Promise<WorkflowState | null> {
    const state = await engine.describe(name);
    return state?.type === workflowTypes.control ? state : null;
  }

  async function find(name: string): Promise<Deployment | null> {
    const state = await workflow(name);
    const running = state?.status === 'running';
    const [loop, endReason] = await Promise.all([
      running ? engine.queryStatus(name) : null,
      state === null || running ? null : engine.endReason(name),
    ]);
    // Last, so that an end that was recorded in the meantime is seen.
    const record = await control.getDeployment(name);
    return deploymentFrom(name, { record, state, loop, endReason });
  }

  async function status(name: string): Promise<Deployment> {
    const deployment = await find(name);
    if (deployment === null) throw notFound(name);
    return deployment;
  }

  async function change(name: string, what: ControlChange): Promise<ControlStatus> {
    const after = await engine.update(name, what);
    if (after !== null) return after;
    const found = await status(name);
    const message = `Deployment ${name} is ${found.status}, so it cannot be changed. Open it again with its spec.`;
    throw new CoxswainError('DEPLOYMENT_NOT_RUNNING', message);
  }

  async function assertSameSpec(spec: DeploymentSpec, hash: string): Promise<void> {
    const running = await hashOfLoop(spec.name);
    if (running === hash) return;
    const message = `Deployment ${spec.name} runs with another spec. Stop it first, or choose another name.`;
    throw new CoxswainError('DEPLOYMENT_CONFLICT', message);
  }

  /** From the memo; from the input or the record of a loop that was started without one (`temporal workflow start`). */
  async function hashOfLoop(name: string): Promise<string | null> {
    const state = await workflow(name);
    if (state === null || state.specSha256 !== null) return state?.specSha256 ?? null;
    const spec = specOf(await engine.readInput(name)) ?? (await control.getDeployment(name))?.spec;
    return spec === undefined ? null : specSha256(spec);
  }

  async function assertKnown(name: string): Promise<void> {
    if ((await control.getDeployment(name)) === null) await status(name);
  }

  return {
    async open(input) {
      const spec = parseDeploymentSpec(input);
      const hash = specSha256(spec);
      const outcome = await engine.start({ spec, specSha256: hash });
      if (outcome === 'exists') await assertSameSpec(spec, hash);
      return { name: spec.name, specSha256: hash, created: outcome === 'started' };
    },
    status,
    async list() {
      const [records, open] = await Promise.all([control.listDeployments(), engine.listOpen(maxOpenLoops)]);
      const loops = new Set(open);
      const opening = open.filter((name) => !records.some((record) => record.name === name));
      const found = await Promise.all([
        ...opening.map(find),
        ...records.map(async (record) => {
          // The list of open loops lags, so it is not enough to call a loop lost.
          if (loops.has(record.name) || record.status === 'running') return find(record.name);
          return deploymentFrom(record.name, { record, state: null, loop: null, endReason: null });
        }),
      ]);
      return found.filter((deployment) => deployment !== null).sort((a, b) => Number(isOver(a)) - Number(isOver(b)));
    },
    pause: (name) => change(name, { kind: 'pause' }),
    resume: (name) => change(name, { kind: 'resume' }),
    async stop(name) {
      const after = await engine.update(name, { kind: 'stop' });
      if (after !== null) return status(name);
      const found = await status(name);
      if (found.status !== 'lost') return found;
      // A new loop knows from the record what to give back: owners that were paused, autoscalers, claims.
      const { spec } = found.record!;
      await engine.start({ spec, specSha256: specSha256(spec) });
      await engine.update(name, { kind: 'stop' });
      return status(name);
    },
    async setMode(name, mode) {
      if (controlModes.includes(mode)) return change(name, { kind: 'mode', mode });
      const found = JSON.stringify(mode) ?? 'nothing';
      throw new CoxswainError('REQUEST_INVALID', `mode: found ${found}; allowed: ${controlModes.join(' | ')}`);
    },
    fallBack: (name, reason) => change(name, { kind: 'fallback', reason }),
    async decisions(name, { last, afterStep, limit } = {}) {
      await assertKnown(name);
      if (last === undefined) return control.readDecisions({ deployment: name, afterStep, limit });
      const latest = await control.latestDecision(name);
      // Steps have gaps where one failed as a whole, so the page is what lies in the last steps, not a number of them.
      const after = latest === null ? -1 : latest.step - last;
      return control.readDecisions({ deployment: name, afterStep: after, limit: last });
    },
    async events(name) {
      await assertKnown(name);
      return control.listEvents(name);
    },
  };
}

/** True when nothing more happens to a deployment until it is opened again. */
export function isOver({ status }: Deployment): boolean {
  return status === 'stopped' || status === 'failed';
}

function notFound(name: string): CoxswainError {
  return new CoxswainError('DEPLOYMENT_NOT_FOUND', `No deployment has the name ${JSON.stringify(name)}.`);
}

function specOf(input: unknown): DeploymentSpec | undefined {
  if (typeof input !== 'object' || input === null || !('spec' in input)) return undefined;
  try {
    return parseDeploymentSpec(input.spec);
  } catch {
    return undefined;
  }
}
