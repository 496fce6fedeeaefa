import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiHpa, ApiScaledObject, ApiWorkload } from '../../../../src/cluster/kubernetes/api-objects.ts';
import { ownersOf } from '../../../../src/cluster/kubernetes/replica-owner.ts';
import type { Autoscalers } from '../../../../src/cluster/kubernetes/replica-owner.ts';

const nobody: Autoscalers = { hpas: [], scaledObjects: [], unread: null };
const replicas = { 'f:spec': { 'f:replicas': {} } };
const disabled = { selectPolicy: 'Disabled' };

function workload(...managedFields: NonNullable<ApiWorkload['metadata']['managedFields']>): ApiWorkload {
  return { metadata: { name: 'cart', managedFields }, spec: { template: { spec: { containers: [] } } } };
}

function hpa(name: string, target = 'cart', metadata: Partial<ApiHpa['metadata']> = {}, behavior?: object): ApiHpa {
  const scaleTargetRef = { kind: 'Deployment', name: target };
  return {
    metadata: { name, ...metadata },
    spec: { scaleTargetRef, maxReplicas: 5, ...(behavior ? { behavior } : {}) },
  };
}

function scaledObject(annotations: Record<string, string> = {}, kind?: string): ApiScaledObject {
  return {
    metadata: { name: 'events', annotations },
    spec: { scaleTargetRef: { name: 'cart', ...(kind ? { kind } : {}) } },
  };
}

const namesOf = (autoscalers: Partial<Autoscalers>, object = workload()) =>
  ownersOf(object, 'Deployment', { ...nobody, ...autoscalers }).map(({ kind, name }) => `${kind} ${name}`);

describe('a field manager owns the replicas', () => {
  const owns = (manager: string, operation: string, fieldsV1: Record<string, unknown> = replicas) =>
    namesOf({}, workload({ manager, operation, fieldsV1 })).length === 1;

  test('when it applied them, whoever it is but us', () => {
    for (const manager of ['argocd-controller', 'kustomize-controller', 'kubectl', 'helm'])
      assert.ok(owns(manager, 'Apply'));
    assert.ok(!owns('coxswain', 'Apply'));
  });

  test('when it set them and does not let go', () => {
    for (const manager of ['argocd-controller', 'my-operator', 'kubectlish', ''])
      assert.ok(owns(manager, 'Update'), manager);
    const lettingGo = ['kubectl', 'kubectl-client-side-apply', 'kubectl-edit', 'kubectl-create', 'helm', 'Helm'];
    for (const manager of [...lettingGo, 'before-first-apply', 'kube-controller-manager', 'keda', 'coxswain']) {
      assert.ok(!owns(manager, 'Update'), manager);
    }
  });

  test('but not when it created the workload and left it alone since', () => {
    const created = '2026-11-30T10:00:00Z';
    const ownsSince = (time: string, operation = 'Update'): boolean => {
      const object = workload({ manager: 'terraform', operation, time, fieldsV1: replicas });
      return namesOf({}, { ...object, metadata: { ...object.metadata, creationTimestamp: created } }).length === 1;
    };
    assert.ok(!ownsSince(created));
    assert.ok(!ownsSince('2026-11-30T10:00:01Z'), 'the API server writes the two times one after the other');
    assert.ok(ownsSince('2026-11-30T10:05:00Z'), 'it came back');
    assert.ok(ownsSince(created, 'Apply'), 'whoever applies will apply again');
  });

  test('only of what it set: other fields of the spec and of the status are something else', () => {
    assert.ok(!owns('my-operator', 'Apply', { 'f:spec': { 'f:paused': {} } }));
    assert.ok(!owns('my-operator', 'Update', { 'f:status': { 'f:replicas': {} } }));
    assert.ok(!owns('my-operator', 'Update', {}));
  });

  test('and it cannot be paused, so that it comes first', () => {
    const object = workload({ manager: 'my-operator', operation: 'Update', fieldsV1: replicas });
    const owners = ownersOf(object, 'Deployment', { ...nobody, hpas: [hpa('cart')] });
    assert.deepEqual(
      owners.map(({ pausable }) => pausable),
      [false, true],
    );
  });
});

describe('an HPA owns its target', () => {
  test('of the same kind and name', () => {
    assert.deepEqual(namesOf({ hpas: [hpa('a'), hpa('b', 'web')] }), ['HorizontalPodAutoscaler a']);
    const other = hpa('a');
    const stateful = { ...other, spec: { ...other.spec, scaleTargetRef: { kind: 'StatefulSet', name: 'cart' } } };
    assert.deepEqual(namesOf({ hpas: [stateful] }), []);
  });

  test('unless it may scale in neither direction', () => {
    assert.deepEqual(namesOf({ hpas: [hpa('a', 'cart', {}, { scaleUp: disabled, scaleDown: disabled })] }), []);
    assert.equal(namesOf({ hpas: [hpa('a', 'cart', {}, { scaleUp: disabled })] }).length, 1);
    assert.equal(
      namesOf({ hpas: [hpa('a', 'cart', {}, { scaleDown: disabled, scaleUp: { selectPolicy: 'Max' } })] }).length,
      1,
    );
  });

  test('but one that we made', () => {
    assert.deepEqual(
      namesOf({ hpas: [hpa('a', 'cart', { labels: { 'app.kubernetes.io/managed-by': 'coxswain' } })] }),
      [],
    );
    assert.equal(
      namesOf({ hpas: [hpa('a', 'cart', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } })] }).length,
      1,
    );
  });
});

describe('a ScaledObject owns its target', () => {
  const made = hpa('keda-hpa-events', 'cart', {
    ownerReferences: [{ kind: 'ScaledObject', name: 'events', controller: true }],
  });

  test('with its HPA as one, a Deployment where it says no kind', () => {
    assert.deepEqual(namesOf({ scaledObjects: [scaledObject()], hpas: [made] }), ['ScaledObject events']);
    assert.deepEqual(namesOf({ scaledObjects: [scaledObject({}, 'StatefulSet')] }), []);
    assert.deepEqual(namesOf({ hpas: [made] }), ['ScaledObject events']);
  });

  test('unless one of its annotations pauses it, and KEDA has removed its HPA', () => {
    const paused = (value: string) => scaledObject({ 'autoscaling.keda.sh/paused': value });
    assert.deepEqual(namesOf({ scaledObjects: [paused('true')] }), []);
    assert.deepEqual(namesOf({ scaledObjects: [paused('true')], hpas: [made] }), ['ScaledObject events']);
    assert.deepEqual(namesOf({ scaledObjects: [paused('false')] }), ['ScaledObject events']);
    assert.deepEqual(namesOf({ scaledObjects: [scaledObject({ 'autoscaling.keda.sh/paused-replicas': '2' })] }), []);
    const partly = scaledObject({ 'autoscaling.keda.sh/paused-scale-in': 'true' });
    assert.deepEqual(namesOf({ scaledObjects: [partly] }), ['ScaledObject events']);
  });
});

test('what could not be read counts as an owner that is not known', () => {
  assert.deepEqual(ownersOf(workload(), 'Deployment', { ...nobody, unread: 'scaledobjects.keda.sh in shop' }), [
    { kind: 'unknown', name: 'scaledobjects.keda.sh in shop', pausable: false },
  ]);
});
