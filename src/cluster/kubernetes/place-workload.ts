import type { WorkloadKind, WorkloadName } from '../../contracts/cluster.ts';
import { CoxswainError } from '../../contracts/errors.ts';
import { annotationOf, hasAnnotation, withAnnotation, withoutAnnotation } from './annotations.ts';
import type { ApiAffinity, ApiNode, ApiNodeSelector, ApiWorkload } from './api-objects.ts';
import { apiResources } from './api-resources.ts';
import { isRefusal } from './api-refusal.ts';
import { changeObject } from './change-object.ts';
import type { ApiCall } from './kubernetes-client.ts';
import { placedBeforeAnnotation } from './our-marks.ts';
import { workloadTarget } from './workload-name.ts';

const hostName = 'kubernetes.io/hostname';
const required = 'requiredDuringSchedulingIgnoredDuringExecution';

/**
 * Adds to the required node affinity of a workload's pods that they go to these nodes only, or takes that away again. What
 * the affinity was is kept in an annotation, so that nothing of ours stays. `gone` when there is no such workload.
 */
export async function placeWorkload(
  api: ApiCall,
  workload: WorkloadName,
  kind: WorkloadKind,
  nodes: readonly string[] | null,
): Promise<'placed' | 'gone'> {
  const hosts = nodes === null ? null : await hostNames(api, nodes);
  const target = workloadTarget(workload, kind);
  try {
    await changeObject<ApiWorkload>(api, target, (object) => placed(object, hosts));
    return 'placed';
  } catch (error) {
    if (isRefusal(error, 404)) return 'gone';
    throw error;
  }
}

/**
 * The hosts that our affinity keeps a workload's pods on: the last expression of each term. Null when there is no affinity
 * of ours; empty when somebody changed what we wrote.
 */
export function placedOnHosts(object: ApiWorkload): readonly string[] | null {
  if (!hasAnnotation(object, placedBeforeAnnotation)) return null;
  const terms = object.spec.template.spec.affinity?.nodeAffinity?.[required]?.nodeSelectorTerms ?? [];
  const hosts = terms.map(({ matchExpressions = [] }) => {
    const last = matchExpressions.at(-1);
    return last?.key === hostName && last.operator === 'In' ? (last.values ?? []) : [];
  });
  const [first = []] = hosts;
  return hosts.every((values) => values.join() === first.join()) ? first : [];
}

/** The value of the host name's label, which is not always the name of the node. */
async function hostNames(api: ApiCall, nodes: readonly string[]): Promise<string[]> {
  const known = new Map(
    await api.list<ApiNode, [string, string]>({ resource: apiResources.nodes, namespace: null }, ({ metadata }) => [
      metadata.name,
      metadata.labels?.[hostName] ?? metadata.name,
    ]),
  );
  const missing = nodes.filter((node) => !known.has(node));
  if (missing.length > 0 || nodes.length === 0) {
    const message = `Pods cannot be placed on ${missing.join(', ') || 'no node at all'}: the cluster has no such node.`;
    throw new CoxswainError('CLUSTER_REFUSED', message);
  }
  return nodes.map((node) => known.get(node)!).sort();
}

/** Null when it stands so already. */
function placed(object: ApiWorkload, hosts: readonly string[] | null): ApiWorkload | null {
  const affinity = object.spec.template.spec.affinity;
  const now = affinity?.nodeAffinity?.[required] ?? null;
  const before = hasAnnotation(object, placedBeforeAnnotation)
    ? annotationOf<ApiNodeSelector>(object, placedBeforeAnnotation)!
    : now;
  const wanted = hosts === null ? before : withHosts(before, hosts);
  const unmarked = withoutAnnotation(object, placedBeforeAnnotation);
  const marked = hosts === null ? unmarked : withAnnotation(object, placedBeforeAnnotation, JSON.stringify(before));
  const changed = withAffinity(marked, affinityWith(affinity, wanted));
  return JSON.stringify(changed) === JSON.stringify(object) ? null : changed;
}

/** Each of the terms is an alternative, so that each must say it. */
function withHosts(before: ApiNodeSelector | null, hosts: readonly string[]): ApiNodeSelector {
  const expression = { key: hostName, operator: 'In', values: hosts };
  return {
    nodeSelectorTerms: (before?.nodeSelectorTerms ?? [{}]).map((term) => ({
      ...term,
      matchExpressions: [...(term.matchExpressions ?? []), expression],
    })),
  };
}

function affinityWith(affinity: ApiAffinity = {}, selector: ApiNodeSelector | null): ApiAffinity | undefined {
  const { nodeAffinity: { [required]: _now, ...preferred } = {}, ...others } = affinity;
  const nodeAffinity = { ...preferred, ...(selector === null ? {} : { [required]: selector }) };
  const whole = { ...others, ...(Object.keys(nodeAffinity).length === 0 ? {} : { nodeAffinity }) };
  return Object.keys(whole).length === 0 ? undefined : whole;
}

function withAffinity(object: ApiWorkload, affinity: ApiAffinity | undefined): ApiWorkload {
  const { affinity: _now, ...spec } = object.spec.template.spec;
  const template = { ...object.spec.template, spec: affinity === undefined ? spec : { ...spec, affinity } };
  return { ...object, spec: { ...object.spec, template } };
}
