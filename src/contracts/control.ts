import type { ClusterWorkload, PausedOwner, ScaleResult, WorkloadName } from './cluster.ts';
import type { MetricsDialect, MetricsSnapshot } from './cluster-metrics.ts';
import type { PlacementDecision, PlacementMemory, PlacementResult, PlacementSpec } from './placement.ts';
import type { JsonValue } from './run-spec.ts';

/** What a deployment does with its decisions. `shadow` records them and does nothing. */
export const controlModes = ['shadow', 'live'] as const;
export type ControlMode = (typeof controlModes)[number];

/**
 * A registered policy that steers the workloads of a namespace: what somebody asks for, after defaults are filled in.
 * `src/spec` holds the zod schema; a test proves both equal. It only names things: the cluster, Prometheus and their
 * credentials are the worker's configuration.
 */
export interface DeploymentSpec {
  /** Version of this format. */
  readonly version: 1;
  /** Name of the deployment, and its id: lower case letters, digits and dashes. */
  readonly name: string;
  readonly description: string;
  readonly model: {
    readonly name: string;
    /** Version or alias, as it stands when the deployment is opened. Default alias `champion`. */
    readonly version: number | string;
  };
  readonly target: {
    readonly namespace: string;
    /** Workload of each service of the policy, where it has another name. */
    readonly workloads: Readonly<Record<string, string>>;
    /** Service that users' requests come to; null = the first service of the policy. */
    readonly entry: string | null;
  };
  readonly mode: ControlMode;
  /** Length of a control step, seconds. Default 15, which is what the environments' policies are trained for. */
  readonly intervalSeconds: number;
  readonly metrics: {
    readonly dialect: MetricsDialect;
    /** Rates are means over this long; at least four scrape intervals. Default 60. */
    readonly windowSeconds: number;
  };
  readonly guard: GuardSpec;
  /** What to do with an HPA or ScaledObject that owns the replicas: refuse to start, or pause it until the end. */
  readonly owners: 'refuse' | 'pause';
  readonly fallback: FallbackSpec;
  /** Null = pods run where the scheduler puts them. Absent in records from before there was placement. */
  readonly placement: PlacementSpec | null;
}

/** The section `deploy` of a RunSpec: what a deployment is beside its policy, which is the one that the run registers. */
export type DeploymentTarget = Omit<DeploymentSpec, 'version' | 'model'>;

/** What a policy may do; see src/domain/guard. */
export interface GuardSpec {
  /** Limits of every workload. Null bounds are those that the policy was trained with. */
  readonly limits: WorkloadLimitsSpec;
  /** Other limits of single services, by the service's name. */
  readonly services: Readonly<Record<string, Partial<WorkloadLimitsSpec>>>;
  readonly podHours: { readonly budget: number; readonly windowHours: number } | null;
  readonly frozen: readonly {
    readonly days: readonly number[];
    readonly fromMinute: number;
    readonly toMinute: number;
  }[];
  readonly maxObservationAgeSteps: number;
}

export interface WorkloadLimitsSpec {
  readonly minReplicas: number | null;
  readonly maxReplicas: number | null;
  readonly maxStepUp: number;
  readonly maxStepDown: number;
  readonly coolDownUpSeconds: number;
  readonly coolDownDownSeconds: number;
}

/** The controller that takes over. */
export interface FallbackSpec {
  /** `own`: our HPA, in the same loop. `native`: HPA objects of the cluster, which go on without us. */
  readonly controller: 'own' | 'native';
  /** CPU target, percent; null = the one that the policy's evaluation calibrated. */
  readonly hpaTargetPercent: number | null;
  /** The policy is dismissed when more than `violationShare` of the requests of the last `windowSteps` violate the SLO. */
  readonly errorBudget: { readonly violationShare: number; readonly windowSteps: number };
}

/** Why the fallback acts instead of the policy. */
export type FallbackReason = 'policy-unavailable' | 'observations-missing' | 'error-budget' | 'requested';

/** The switch to the fallback. It stays until somebody resumes the policy. */
export interface FallbackState {
  readonly reason: FallbackReason;
  readonly detail: string;
  readonly sinceStep: number;
  /** ISO 8601 */
  readonly at: string;
}

/** What a control loop carries from step to step, and into its next run. Plain JSON, small. */
export interface ControlState {
  readonly deployment: string;
  readonly mode: ControlMode;
  readonly paused: boolean;
  /** The next step, counted from 0. */
  readonly step: number;
  readonly fallback: FallbackState | null;
  /** Steps in a row, up to now, without a complete observation, and without an answer of the policy. */
  readonly stepsWithoutObservation: number;
  readonly stepsWithoutPolicy: number;
  /** True while autoscalers that we created may be in the cluster (a native fallback). */
  readonly nativeAutoscalers: boolean;
  /** Requests and violations of the last steps, oldest first: what the error budget is counted on. */
  readonly budget: readonly { readonly requests: number; readonly violations: number }[];
}

/** Answer of the state query. */
export interface ControlStatus extends ControlState {
  readonly status: 'opening' | 'running' | 'paused' | 'stopping' | 'stopped' | 'failed';
  readonly last: StepSummary | null;
  /** Steps done by this and earlier runs of the workflow that ended with a failure of the whole step. */
  readonly failedSteps: number;
}

/** What of a step is worth a workflow's history. */
export interface StepSummary {
  readonly step: number;
  /** ISO 8601 */
  readonly at: string;
  readonly actor: ControlActor;
  /** Workloads whose replicas were changed. */
  readonly changed: number;
  /** Workloads for which the guard took something away. */
  readonly guarded: number;
  /** Placements that were changed: workloads placed and pods moved. Absent without placement. */
  readonly placed?: number;
  readonly state: ControlState;
  /** Sentences for people; empty when all went well. */
  readonly notes: readonly string[];
}

/** Whose proposals were acted on, or would have been in shadow mode. */
export type ControlActor = 'policy' | 'fallback' | 'nobody';

/** A deployment as it was opened: everything that its steps need beside what they observe. Plain JSON. */
export interface DeploymentRecord {
  readonly name: string;
  readonly spec: DeploymentSpec;
  readonly status: 'running' | 'stopped' | 'failed';
  readonly model: { readonly name: string; readonly version: number };
  /** SHA-256 and size of the ONNX policy. */
  readonly policy: { readonly sha256: string; readonly bytes: number };
  /** The environment that it was trained in. */
  readonly environment: { readonly name: string; readonly parameters: Readonly<Record<string, JsonValue>> };
  /** The fitted twin that it was trained in; null for an environment that needs none. */
  readonly twin: { readonly sha256: string; readonly bytes: number } | null;
  readonly hpaTargetPercent: number;
  /** In the policy's order. */
  readonly services: readonly ControlledService[];
  /** Owners that were paused, to be resumed at the end. */
  readonly pausedOwners: readonly PausedOwner[];
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly failure: string | null;
}

/** A service of the policy and the workload that plays it. */
export interface ControlledService {
  readonly service: string;
  readonly workload: WorkloadName;
  /** As it was at the opening; of one that was not there then, Deployment. */
  readonly kind: ClusterWorkload['kind'];
  /** True for a service that may be missing at times. Absent: it must always be there. */
  readonly comesAndGoes?: boolean;
  readonly limits: {
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly maxStepUp: number;
    readonly maxStepDown: number;
    readonly coolDownUpSeconds: number;
    readonly coolDownDownSeconds: number;
  };
}

/**
 * One step as stored: everything that went into it and came out, so that it can be computed again. Plain JSON but for
 * `at`. Written twice: before anything is changed (`result` null), and after.
 */
export interface ControlDecision {
  readonly deployment: string;
  readonly step: number;
  readonly at: Date;
  /** The loop's state when the step began. */
  readonly state: ControlState;
  readonly mode: ControlMode;
  readonly actor: ControlActor;
  /** What the loop carries on: also the switch to the fallback that this step made, and acted on. */
  readonly next: ControlState;
  /** Null when the cluster could not be read. */
  readonly observation: ControlObservation | null;
  /** What was wrong with it; empty when it is complete. */
  readonly problems: readonly string[];
  /**
   * Step of the decision whose memory this one goes on from, null for the first one. Mostly the step before; another where
   * steps are missing, or were written late. Absent in records from before it was kept.
   */
  readonly after?: number | null;
  /** What HPA and policy remember after this step; see src/rl/live. */
  readonly memory: ControlMemory;
  /** Services that come and go, and did since the step before; absent when none did. */
  readonly presence?: { readonly came: readonly WorkloadName[]; readonly left: readonly WorkloadName[] };
  readonly policy: PolicyDecision | null;
  /**
   * The HPA's wish, always computed while there is an observation; replicas by service, null for one that comes and goes and
   * is not there, or whose CPU is not known.
   */
  readonly hpaReplicas: readonly (number | null)[] | null;
  /** The actor's proposals, in the order of the services; empty when nobody acts. */
  readonly proposals: readonly { readonly workload: WorkloadName; readonly replicas: number }[];
  /** The guard's context as JSON (src/domain/guard), dates as ISO 8601. */
  readonly guardContext: JsonValue | null;
  readonly guarded: readonly GuardedProposal[];
  /** Absent in a deployment without placement. */
  readonly placement?: PlacementDecision;
  /** What was done; null until it is known. Empty in shadow mode. */
  readonly result: readonly ScaleResult[] | null;
  /** What was done about the placement, as `result`; absent without placement. */
  readonly placementResult?: readonly PlacementResult[];
  readonly summary: StepSummary | null;
}

/** What the guard made of a proposal. */
export interface GuardedProposal {
  readonly workload: WorkloadName;
  /** Replicas before; null when the workload is not there. */
  readonly before: number | null;
  readonly proposed: number;
  readonly permitted: number | null;
  /** Empty when the proposal passed as it was. */
  readonly reasons: readonly { readonly reason: string; readonly detail: string }[];
}

/** What a step saw. */
export interface ControlObservation {
  /** Null when the metrics could not be read. */
  readonly metrics: MetricsSnapshot | null;
  /** Of the cluster, in the order of the services; null for one that is not there. */
  readonly workloads: readonly (ObservedWorkload | null)[];
}

export interface ObservedWorkload {
  /** Absent in records from before services could come and go, as `stoppingPods` and `memoryLimitBytes` are. */
  readonly kind?: ClusterWorkload['kind'];
  readonly replicas: number;
  readonly readyPods: number;
  /** Not ready, or ready for less time than the metrics cover. */
  readonly unreadyPods: number;
  /** Pods that exist but are not ready yet. */
  readonly startingPods: number;
  /** Pods that were told to go and are still there. */
  readonly stoppingPods?: number;
  /** Of a pod; null = none is set. */
  readonly memoryLimitBytes?: number | null;
  readonly cpuRequestMillicores: number | null;
  /** CPU of the ready pods together, from the metrics API: what the HPA reads when the metrics are away; null = not known. */
  readonly cpuMillicores: number | null;
}

/** State between steps. Plain JSON. */
export interface ControlMemory {
  /** `Hpa.saveState()`. */
  readonly hpa: JsonValue;
  /** Who is in the slots of a policy on a graph; absent for others. */
  readonly slots?: SlotMemory;
  /** The policy's memory (float32 values); empty for one without. */
  readonly policy: readonly number[];
  /** Replicas of each service when they were last seen, and when they last changed (ISO 8601); null = never seen. */
  readonly seen: readonly ({ readonly replicas: number; readonly changedAt: string | null } | null)[];
  /** Pod-hours used, by hour since 1970, oldest first. */
  readonly podHours: readonly { readonly hour: number; readonly used: number }[];
  /** By service; absent in a deployment without placement. */
  readonly placement?: readonly PlacementMemory[];
}

/** Who is in the slots that a policy on a graph sees. */
export interface SlotMemory {
  readonly occupants: readonly (SlotOccupant | null)[];
  /** Of the next newcomer. */
  readonly nextIdentity: number;
}

export interface SlotOccupant {
  /** Its place in the order of the services. */
  readonly service: number;
  /** A service that comes back is somebody new. */
  readonly identity: number;
  /** Whether its metrics have been complete since it came: until then it is left as it is. */
  readonly measured: boolean;
}

export interface PolicyDecision {
  readonly sha256: string;
  /** float32, little-endian, base64: bit for bit what the policy was asked. */
  readonly observation: string;
  /** One byte a choice, base64; null when nothing is masked. */
  readonly mask: string | null;
  readonly action: readonly number[];
  /** Replicas that the action means, by service; null for one that has no slot. */
  readonly replicas: readonly (number | null)[];
  readonly milliseconds: number;
}

/** What a replay has done. */
export interface ReplayResult {
  /** Decisions computed again. */
  readonly steps: number;
  /** Those of them in which the policy was asked and answered. */
  readonly policyAnswers: number;
}

/** Something of a deployment that people should know; an alert when `alert` is true. */
export interface ControlEvent {
  readonly deployment: string;
  readonly step: number;
  readonly at: Date;
  readonly kind:
    | 'opened'
    | 'stopped'
    | 'failed'
    | 'mode'
    | 'paused'
    | 'resumed'
    | 'fallback'
    | 'policy-resumed'
    | 'owner-paused'
    | 'owner-resumed'
    | 'workload-missing'
    | 'workload-left'
    | 'workload-came'
    | 'moved-by-other'
    | 'placed'
    | 'placement-finished'
    | 'placement-stuck'
    | 'unplaced';
  readonly alert: boolean;
  readonly message: string;
}

export interface DecisionQuery {
  readonly deployment: string;
  /** Steps above it. */
  readonly afterStep?: number;
  /** 1 … 1 000, default 200. */
  readonly limit?: number;
}

/**
 * Deployments and their decisions. Port; adapter: MongoDB.
 *
 * 1. A workload belongs to one running deployment at most: `openDeployment` claims all of its workloads or none. Claims
 *    count only while the deployment runs, so a crash in the middle of opening leaves none.
 * 2. Decisions are keyed (deployment, step): the first one written stays; only its result is added, once.
 */
export interface ControlStore {
  /**
   * Records a deployment as running and claims its workloads. Idempotent while the same spec runs under the name: what
   * was recorded first stays. A stopped one is opened again, and its record replaced. DEPLOYMENT_CONFLICT when another
   * spec runs under the name; WORKLOAD_CLAIMED naming the workload and who has it.
   */
  openDeployment(record: DeploymentRecord): Promise<void>;
  getDeployment(name: string): Promise<DeploymentRecord | null>;
  /** Newest first. */
  listDeployments(): Promise<readonly DeploymentRecord[]>;
  /** The record of each time that a deployment was opened, as it stood last; oldest first. */
  deploymentHistory(name: string): Promise<readonly DeploymentRecord[]>;
  /** Ends it and gives its workloads free. Idempotent; the first end stays, and one that never ran stays unknown. */
  closeDeployment(name: string, end: { status: 'stopped' | 'failed'; failure: string | null; at: Date }): Promise<void>;
  /** Adds the owners that were paused, each once. DEPLOYMENT_NOT_FOUND when it never ran. */
  recordPausedOwners(name: string, owners: readonly PausedOwner[]): Promise<void>;

  /** Writes a decision before it is acted on; returns the one that is there when the step has one already. */
  writeDecision(decision: ControlDecision): Promise<ControlDecision>;
  /** Adds what came of it. Idempotent; the first result stays. INTERNAL when the step has no decision. */
  completeDecision(
    deployment: string,
    step: number,
    end: Pick<ControlDecision, 'result' | 'placementResult'> & { summary: StepSummary },
  ): Promise<void>;
  getDecision(deployment: string, step: number): Promise<ControlDecision | null>;
  /** The one with the highest step; null when there is none. */
  latestDecision(deployment: string): Promise<ControlDecision | null>;
  /** Rising steps. */
  readDecisions(query: DecisionQuery): Promise<readonly ControlDecision[]>;

  /** Idempotent by (deployment, step, kind, message): a step can miss two workloads. The first one's moment stays. */
  addEvent(event: ControlEvent): Promise<void>;
  /** Newest first; at most 200. */
  listEvents(deployment: string): Promise<readonly ControlEvent[]>;
}

/** Argument of controlWorkflow: the DeploymentSpec as somebody wrote it, or where an earlier run of the loop stopped. */
export type ControlInput =
  | {
      readonly spec: unknown;
      /** Events of history after which the loop goes on in a new run (continue as new); 50 at least, default 6 000. */
      readonly maximumHistoryEvents?: number;
    }
  | { readonly resume: ControlResume };

/** Where a loop goes on after continuing as new. */
export interface ControlResume {
  readonly state: ControlState;
  readonly failedSteps: number;
  readonly intervalMs: number;
  /** Milliseconds since 1970. */
  readonly nextStepAtMs: number;
  /** What people changed and is still to be recorded. */
  readonly events: readonly RequestedChange[];
  readonly maximumHistoryEvents?: number;
  /** Steps in a row, up to now, that failed as a whole; absent in loops that were started before it was carried. */
  readonly failedInARow?: number;
}

/** A change that somebody asked for (pause, mode, fallback), to be recorded. */
export interface RequestedChange {
  readonly deployment: string;
  readonly step: number;
  readonly kind: ControlEvent['kind'];
  readonly message: string;
  readonly alert: boolean;
}

/** Activities of the control queue. */
export interface ControlActivities {
  /**
   * Checks the spec against the schema, the configuration, the registry and the cluster; claims the workloads; pauses
   * owners when the spec says so. SPEC_INVALID, NOT_ALLOWED, MODEL_NOT_FOUND, WORKLOAD_OWNED, WORKLOAD_CLAIMED,
   * DEPLOYMENT_CONFLICT, DEPLOYMENT_INVALID. Idempotent by the deployment's name.
   */
  openControl(input: { deployment: string; spec: unknown }): Promise<{
    mode: ControlMode;
    intervalMs: number;
    model: string;
    environment: string;
    /** The step to go on with: above 0 where a deployment of this name was stopped before. */
    step: number;
  }>;
  /**
   * One step: observe, decide, guard, act, verify, record. Idempotent by (deployment, step): a repeated attempt goes on
   * from what is recorded. Fails only when the record cannot be written; whatever else goes wrong is in the summary.
   */
  controlStep(input: { state: ControlState }): Promise<StepSummary>;
  /** Idempotent by (deployment, step, kind, message). */
  recordControlEvent(input: RequestedChange): Promise<void>;
  /**
   * Resumes paused owners, removes autoscalers of ours (unless the fallback is native and acts), takes node affinities of
   * ours back, gives the workloads free.
   */
  closeControl(input: { deployment: string; state: ControlState | null; failure: string | null }): Promise<void>;
}
