import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubernetesCluster } from '../../scripts/local-services/kubernetes-cluster.ts';
import type { RequiredRight } from '../../src/cluster/kubernetes/required-rights.ts';
import type { ClusterAdmin, Json } from './cluster-admin.ts';

/** One verb on one resource. */
export type SingleRight = Omit<RequiredRight, 'verbs'> & { readonly verb: RequiredRight['verbs'][number] };

const rbac = '/apis/rbac.authorization.k8s.io/v1';

/** Each right by itself. */
export function singly(rights: readonly RequiredRight[]): SingleRight[] {
  return rights.flatMap(({ verbs, ...right }) => verbs.map((verb) => ({ ...right, verb })));
}

/** A service account with these rights and no other. */
export async function createServiceAccount(
  admin: ClusterAdmin,
  namespace: string,
  name: string,
  rights: readonly SingleRight[],
): Promise<void> {
  const metadata = { name };
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata });
  for (const scope of ['cluster', 'namespace'] as const) {
    const kind = scope === 'cluster' ? 'ClusterRole' : 'Role';
    const at = scope === 'cluster' ? rbac : `${rbac}/namespaces/${namespace}`;
    await admin.create(`${at}/${kind.toLowerCase()}s`, { metadata, rules: rulesOf(rights, scope) });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
    await admin.create(`${at}/${kind.toLowerCase()}bindings`, { metadata, subjects, roleRef });
  }
}

/** Gives the service account these rights within its namespace in the place of those that it had there. */
export async function changeRights(
  admin: ClusterAdmin,
  namespace: string,
  name: string,
  rights: readonly SingleRight[],
): Promise<void> {
  await admin.merge(`${rbac}/namespaces/${namespace}/roles/${name}`, { rules: rulesOf(rights, 'namespace') });
}

function rulesOf(rights: readonly SingleRight[], wanted: RequiredRight['scope']) {
  return rights
    .filter(({ scope }) => scope === wanted)
    .map(({ apiGroup, resource, verb }) => ({ apiGroups: [apiGroup], resources: [resource], verbs: [verb] }));
}

/** Writes a kubeconfig with this user, for example one with a token or a file with one. @returns its path. */
export function writeKubeconfig(
  { kubeconfig }: Pick<KubernetesCluster, 'kubeconfig'>,
  folder: string,
  name: string,
  user: Json,
): string {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8'));
  config.users[0].user = user;
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(config));
  return path;
}
