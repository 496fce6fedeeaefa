import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NativeAutoscaler } from '../../../src/contracts/cluster.ts';
import type { ControlState } from '../../../src/contracts/control.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { keepAutoscalers, putAutoscalers } from '../../../src/control/native-fallback.ts';
import { firstState } from '../../../src/domain/control/fallback-rules.ts';
import { FakeCluster } from '../../fakes/fake-cluster.ts';
import { deploymentRecord, limits } from './control-bench.ts';

/** A cluster that notes what autoscalers it gets, and refuses those of the given workload. */
class NotingCluster extends FakeCluster {
  readonly put: NativeAutoscaler[] = [];
  refused: string | null = null;

  override async putAutoscaler(autoscaler: NativeAutoscaler): Promise<void> {
    this.refuse(autoscaler.workload);
    this.put.push(autoscaler);
    return super.putAutoscaler(autoscaler);
  }

  override async removeAutoscaler(workload: string): Promise<void> {
    this.refuse(workload);
    return super.removeAutoscaler(workload);
  }

  private refuse(workload: string): void {
    if (workload === this.refused) throw new CoxswainError('CLUSTER_REFUSED', 'planted 403');
  }
}

const record = deploymentRecord();
const cluster = (): NotingCluster => new NotingCluster(['shop/web', 'shop/db'], () => new Date(0));
const state = (nativeAutoscalers: boolean): ControlState => ({ ...firstState('shop', 'live', 3), nativeAutoscalers });
const keep = (there: NotingCluster, before: boolean, after: boolean) =>
  keepAutoscalers(there, record, { state: state(before), next: state(after) });

test('autoscalers have the bounds of the guard and the calibrated target', async () => {
  const there = cluster();
  assert.deepEqual(await putAutoscalers(there, record), []);
  const { minReplicas, maxReplicas } = limits;
  assert.deepEqual(
    there.put,
    ['shop/web', 'shop/db'].map((workload) => ({
      workload,
      kind: 'Deployment',
      minReplicas,
      maxReplicas,
      targetPercent: record.hpaTargetPercent,
    })),
  );
});

test('they are put there at every step of the fallback, since somebody may have removed them', async () => {
  const there = cluster();
  assert.deepEqual(await keep(there, false, true), { present: true, troubles: [] });
  there.autoscalers.delete('shop/db');
  assert.deepEqual(await keep(there, true, true), { present: true, troubles: [] });
  assert.deepEqual(there.autoscalers, new Set(['shop/web', 'shop/db']));
});

test('they are removed once the policy acts again, and nobody looks for them without a reason', async () => {
  const there = cluster();
  await keep(there, false, true);
  assert.deepEqual(await keep(there, true, false), { present: false, troubles: [] });
  assert.deepEqual(there.autoscalers, new Set());
  there.away = true;
  assert.deepEqual(await keep(there, false, false), { present: false, troubles: [] });
});

test('trouble with one does not keep the others back, and is said', async () => {
  const there = cluster();
  there.refused = 'shop/web';
  assert.deepEqual(await keep(there, false, true), {
    present: true,
    troubles: ['autoscaler of shop/web: planted 403'],
  });
  assert.deepEqual(there.autoscalers, new Set(['shop/db']));
});

test('an autoscaler that could not be removed is still there for the next step', async () => {
  const there = cluster();
  await keep(there, false, true);
  there.refused = 'shop/db';
  const { present, troubles } = await keep(there, true, false);
  assert.equal(present, true);
  assert.deepEqual(troubles, ['autoscaler of shop/db: planted 403']);
  there.refused = null;
  assert.deepEqual(await keep(there, present, false), { present: false, troubles: [] });
  assert.deepEqual(there.autoscalers, new Set());
});
