import type { z } from 'zod';
import type { Deployment } from '../client/deployment.ts';
import type { OpenedDeployment } from '../client/deployments.ts';
import type { ControlDecision, ControlEvent, ControlStatus, StepSummary } from '../contracts/control.ts';
import type {
  controlEvents,
  controlStatus,
  decisionPage,
  deploymentDetail,
  deploymentSummary,
  openedDeployment,
} from './deployment-schemas.ts';

/*
 * The JSON of deployments. Fields are picked one by one, so that a field that is added inside does not leave the process
 * unnoticed.
 */

/** Paths that belong to a deployment. */
export function deploymentLinks(name: string): z.infer<typeof openedDeployment>['links'] {
  const self = `/api/v1/deployments/${encodeURIComponent(name)}`;
  return { self, decisions: `${self}/decisions`, events: `${self}/events` };
}

export function openedView({ name, specSha256, created }: OpenedDeployment): z.infer<typeof openedDeployment> {
  return { name, specSha256, created, links: deploymentLinks(name) };
}

export function deploymentSummaryView(deployment: Deployment): z.infer<typeof deploymentSummary> {
  const { name, status, failure, record, loop } = deployment;
  return {
    name,
    status,
    failure,
    mode: loop?.mode ?? record?.spec.mode ?? null,
    model: record && { name: record.model.name, version: record.model.version },
    openedAt: record?.openedAt.toISOString() ?? null,
    closedAt: record?.closedAt?.toISOString() ?? null,
    loop: loop && controlStatusView(loop),
    links: deploymentLinks(name),
  };
}

export function deploymentDetailView(deployment: Deployment): z.infer<typeof deploymentDetail> {
  const { record } = deployment;
  return {
    ...deploymentSummaryView(deployment),
    spec: record?.spec ?? null,
    policy: record && { sha256: record.policy.sha256, bytes: record.policy.bytes },
    environment: record?.environment.name ?? null,
    hpaTargetPercent: record?.hpaTargetPercent ?? null,
    services: (record?.services ?? []).map(({ service, workload, kind, comesAndGoes = false, limits }) => ({
      service,
      workload,
      kind,
      comesAndGoes,
      limits: { ...limits },
    })),
    pausedOwners: (record?.pausedOwners ?? []).map(({ workload, kind, name }) => ({ workload, kind, name })),
  };
}

export function controlStatusView(loop: ControlStatus): z.infer<typeof controlStatus> {
  const { status, mode, paused, step, fallback, last, failedSteps } = loop;
  return { status, mode, paused, step, fallback, last: last && stepView(last), failedSteps };
}

export function decisionView(decision: ControlDecision): z.infer<typeof decisionPage>['decisions'][number] {
  const { step, at, mode, actor, problems, next, observation, policy, hpaReplicas, result, summary } = decision;
  return {
    step,
    at: at.toISOString(),
    mode,
    actor,
    problems: [...problems],
    fallback: next.fallback,
    observation,
    policy,
    hpaReplicas: hpaReplicas && [...hpaReplicas],
    proposals: decision.proposals.map(({ workload, replicas }) => ({ workload, replicas })),
    guarded: decision.guarded.map(({ workload, before, proposed, permitted, reasons }) => ({
      workload,
      before,
      proposed,
      permitted,
      reasons: reasons.map(({ reason, detail }) => ({ reason, detail })),
    })),
    result: result?.map(({ workload, outcome, replicas, detail }) => ({ workload, outcome, replicas, detail })) ?? null,
    placement: decision.placement ?? null,
    placementResult: decision.placementResult ? [...decision.placementResult] : null,
    summary: summary && stepView(summary),
  };
}

export function eventView(event: ControlEvent): z.infer<typeof controlEvents>['events'][number] {
  const { step, at, kind, alert, message } = event;
  return { step, at: at.toISOString(), kind, alert, message };
}

function stepView({ step, at, actor, changed, guarded, placed, notes }: StepSummary) {
  return { step, at, actor, changed, guarded, ...(placed === undefined ? {} : { placed }), notes: [...notes] };
}
