/**
 * The one table of errors. Every failure that a user can meet has a code here; three doors translate it:
 * activities (ApplicationFailure whose `type` is the code), workflows (switch on `cause.type`) and the API (status).
 *
 * `retryable` says whether Temporal may try the activity again; `status` is the HTTP status of the API's problem
 * document; `help` is the sentence in docs/errors.md that says what to do.
 */
export const errorTable = {
  SPEC_INVALID: {
    status: 400,
    retryable: false,
    help: 'The RunSpec or DeploymentSpec breaks a rule. The message lists each path, the value found and what is allowed.',
  },
  REQUEST_INVALID: {
    status: 400,
    retryable: false,
    help: 'The request breaks a rule of the OpenAPI document at /openapi.json.',
  },
  UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    help: 'Send `Authorization: Bearer <token>` with the value of COXSWAIN_API_TOKEN.',
  },
  SIGNATURE_INVALID: {
    status: 401,
    retryable: false,
    help: 'The webhook signature, timestamp or nonce is wrong, too old or was used before. Sign timestamp and body again.',
  },
  FORBIDDEN: {
    status: 403,
    retryable: false,
    help: 'The Host or Origin header is not one that this server answers to. Call it by the address it prints.',
  },
  RUN_NOT_FOUND: { status: 404, retryable: false, help: 'No run has this id. `coxswain list` shows the runs.' },
  MODEL_NOT_FOUND: {
    status: 404,
    retryable: false,
    help: 'No model has this name, version or alias. `coxswain models` shows them.',
  },
  NOT_FOUND: { status: 404, retryable: false, help: 'Nothing is at this address. /docs lists what there is.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    retryable: false,
    help: 'This address does not take this HTTP method. The Allow header says which it takes.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    retryable: false,
    help: 'Send the body as application/json or application/yaml, in UTF-8 and not compressed.',
  },
  RUN_CONFLICT: {
    status: 409,
    retryable: false,
    help: 'A run with this id and another spec exists. Choose another id.',
  },
  RUN_FINISHED: {
    status: 409,
    retryable: false,
    help: 'The run is over, so it cannot be paused, resumed or cancelled.',
  },
  RUN_TERMINATED: {
    status: 409,
    retryable: false,
    help: 'Somebody or something ended the workflow of this run in Temporal (terminate, time-out, deletion), so the run could not record its own end. Start it again under another id.',
  },
  REGISTRY_CONFLICT: {
    status: 409,
    retryable: true,
    help: 'Somebody registered or promoted at the same moment. Read again and repeat.',
  },
  STALE_ATTEMPT: {
    status: 409,
    retryable: false,
    help: 'A newer attempt of this step has taken over; this one must stop writing.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    retryable: false,
    help: "The request body is above the limit of the API. Put data into the worker's data folders and name it in the spec.",
  },
  NOT_ALLOWED: {
    status: 403,
    retryable: false,
    help: "The spec names something that the configuration of the worker does not allow (a folder, a plug-in, an address). Add it to the worker's configuration or name another.",
  },
  TRACE_UNREADABLE: {
    status: 422,
    retryable: false,
    help: 'The request-rate file cannot be used. The message names the file, the line and what was expected.',
  },
  RECORDING_TOO_SHORT: {
    status: 422,
    retryable: false,
    help: 'The recording is too short for three parts with at least one episode each. Record longer or shorten the episodes.',
  },
  RECORDING_INCOMPLETE: {
    status: 422,
    retryable: false,
    help: 'Prometheus lacks too much of the time that was to be recorded. The message lists what and when; mend the source, record another time, or raise `collect.source.maxMissingShare`.',
  },
  TRAINING_DIVERGED: {
    status: 422,
    retryable: false,
    help: "A loss, gradient, reward or weight is not a finite number. Lower the learning rate or check the environment's rewards.",
  },
  ENVIRONMENT_INVALID: {
    status: 422,
    retryable: false,
    help: 'The environment breaks its contract. The message says which rule.',
  },
  ALGORITHM_INVALID: {
    status: 422,
    retryable: false,
    help: 'An algorithm breaks its contract (docs/guides/algorithms.md). The message names the algorithm, the call and the rule.',
  },
  TENSOR_UNSUPPORTED: {
    status: 422,
    retryable: false,
    help: 'The model uses an operation that cannot be compiled. The message names the operation and the line.',
  },
  CHECKPOINT_INVALID: {
    status: 422,
    retryable: false,
    help: 'The checkpoint is truncated, of another version or of another agent. Start the run again without it.',
  },
  DEVICE_UNAVAILABLE: {
    status: 422,
    retryable: false,
    help: 'The device asked for is not on this worker. The message carries the reason of ONNX Runtime.',
  },
  ARTIFACT_CORRUPT: {
    status: 500,
    retryable: false,
    help: 'An artifact does not match its SHA-256 address. The disk or a manual change damaged it; restore it from a backup.',
  },
  ARTIFACT_NOT_FOUND: {
    status: 404,
    retryable: false,
    help: 'The artifact store has no such address. Check that every worker uses the same COXSWAIN_ARTIFACTS.',
  },
  STORAGE_FULL: {
    status: 507,
    retryable: true,
    help: 'The disk of the artifact store is full. Free space; the step is repeated by itself.',
  },
  STORE_UNAVAILABLE: {
    status: 503,
    retryable: true,
    help: 'MongoDB or the artifact store cannot be reached. The step is repeated by itself when it is back.',
  },
  TEMPORAL_UNAVAILABLE: {
    status: 503,
    retryable: true,
    help: 'The Temporal server cannot be reached. Check TEMPORAL_ADDRESS and that the server runs.',
  },
  SEARCH_ATTRIBUTES_MISSING: {
    status: 500,
    retryable: false,
    help: 'The Temporal server lacks our search attributes and this worker may not add them. Run the command in the message.',
  },
  OBSERVATION_UNAVAILABLE: {
    status: 503,
    retryable: true,
    help: 'Prometheus or Kiali did not answer, or too late. The message says which and why.',
  },
  OBSERVATION_REFUSED: {
    status: 422,
    retryable: false,
    help: 'Prometheus or Kiali refused a request, or answered with what is no answer. The message says what was asked; check address, rights and metric names.',
  },
  CLUSTER_UNAVAILABLE: {
    status: 503,
    retryable: true,
    help: 'The Kubernetes API server did not answer, too late, or is overloaded. The call is repeated by itself.',
  },
  CLUSTER_REFUSED: {
    status: 422,
    retryable: false,
    help: 'The Kubernetes API server refused a request: the credentials are not accepted, a right is missing, or the object breaks a rule. The message says what was asked; `deploy/helm` lists the rights.',
  },
  WORKLOAD_OWNED: {
    status: 409,
    retryable: false,
    help: 'An HPA, a ScaledObject or another manager sets the replicas of a workload. Remove it, or let the deployment pause it with `owners: pause`.',
  },
  WORKLOAD_CLAIMED: {
    status: 409,
    retryable: false,
    help: 'Another deployment steers the workload. Stop that one, or take the workload out of this one.',
  },
  DEPLOYMENT_NOT_FOUND: {
    status: 404,
    retryable: false,
    help: 'No deployment has this name. `coxswain deployments` shows them.',
  },
  DEPLOYMENT_CONFLICT: {
    status: 409,
    retryable: false,
    help: 'A deployment of this name runs with another spec. Stop it first, or choose another name.',
  },
  DEPLOYMENT_NOT_RUNNING: {
    status: 409,
    retryable: false,
    help: 'The deployment is being opened, being stopped or over, so it cannot be changed. `coxswain deployments` shows how it stands; `coxswain deploy` opens it again.',
  },
  DEPLOYMENT_INVALID: {
    status: 422,
    retryable: false,
    help: 'The deployment does not fit to the policy or the cluster: a workload is missing, or the environment cannot be steered. The message says which.',
  },
  POLICY_UNAVAILABLE: {
    status: 503,
    retryable: true,
    help: 'The process that runs the policy died or did not answer in time. The fallback takes over.',
  },
  REPLAY_DIFFERS: {
    status: 422,
    retryable: false,
    help: 'A recorded control step, computed again, gave another result. The message names the step and the first difference; versions or the record were changed.',
  },
  TWIN_UNFIT: {
    status: 422,
    retryable: false,
    help: 'The simulator fitted to the recording is too far from it to train on. The message names the services and their errors; record longer, or raise `fit.maxError`.',
  },
  CHILD_PROCESS_FAILED: {
    status: 500,
    retryable: true,
    help: 'The process that does the numeric work died. The step is repeated from its last checkpoint.',
  },
  CONFIG_INVALID: {
    status: 500,
    retryable: false,
    help: 'A setting in the environment is wrong. The message names the variable and what is allowed.',
  },
  INTERNAL: { status: 500, retryable: true, help: 'A defect in Coxswain. Please report it with the log.' },
} as const satisfies Record<string, { status: number; retryable: boolean; help: string }>;

/** A code of {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** An error with a code of the table. The message says what was wrong, where, and what to do. */
export class CoxswainError extends Error {
  readonly code: ErrorCode;
  /** Machine-readable particulars, for example the list of issues of a bad spec. Must be JSON and hold no secret. */
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CoxswainError';
    this.code = code;
    this.details = options.details;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}

/** True when `code` is in the table. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}

/** The given error as a {@link CoxswainError}; what has no code of ours becomes INTERNAL with its message kept as the cause. */
export function toCoxswainError(error: unknown): CoxswainError {
  if (error instanceof CoxswainError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CoxswainError('INTERNAL', message, { cause: error });
}
