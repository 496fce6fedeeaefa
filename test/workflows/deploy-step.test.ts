import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { ControlActivities, DeploymentSpec, DeploymentTarget } from '../../src/contracts/control.ts';
import { controlStatusQuery, stopControlUpdate } from '../../src/contracts/messages.ts';
import { controlWorkflowId } from '../../src/contracts/pipeline.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import { uniqueName } from '../../scripts/local-services/test-services.ts';
import { fakeControlActivities } from './control-fixture.ts';
import { createWorkflowFixture, fakeActivities, spec, untilCancelled } from './pipeline-fixture.ts';
import type { AllActivities, WorkflowFixture } from './pipeline-fixture.ts';

let fixture: WorkflowFixture;
before(async () => {
  fixture = await createWorkflowFixture();
});
after(() => fixture.stop());

/** A run that deploys, with what its activities were given. */
async function deployingRun(
  name: string,
  overrides: Partial<AllActivities> = {},
  control: Partial<ControlActivities> = {},
) {
  const deploy = { name, target: { namespace: 'shop' }, mode: 'shadow' } as unknown as DeploymentTarget;
  const deploying = { ...spec, deploy } as RunSpec;
  const calls: string[] = [];
  const specs: DeploymentSpec[] = [];
  const openControl: ControlActivities['openControl'] = async (input) => {
    specs.push(input.spec as DeploymentSpec);
    return { mode: 'shadow', intervalMs: 50, model: 'fixture', environment: 'online-boutique', step: 0 };
  };
  const activities = {
    ...fakeActivities(calls, {
      validateRun: async () => ({ spec: deploying, specSha256: 'f'.repeat(64), trackingEnabled: false }),
      ...overrides,
    }),
    ...fakeControlActivities(calls, { openControl, ...control }),
  } as AllActivities;
  const run = await fixture.start(activities);
  return { run, calls, specs, loop: fixture.client.workflow.getHandle(controlWorkflowId(name)) };
}

/** Lets the loop go, whose run is over. */
async function stop(loop: Awaited<ReturnType<typeof deployingRun>>['loop']): Promise<void> {
  await loop.executeUpdate(stopControlUpdate);
  await loop.result();
}

test('a passed gate deploys the version that was registered, and its loop goes on after the run', async () => {
  const { run, specs, loop } = await deployingRun(uniqueName('shop'));
  const { deployment, status } = await run.result();
  assert.deepEqual([status, deployment?.mode, deployment?.state], ['completed', 'shadow', 'open']);
  assert.deepEqual(specs[0].model, { name: 'fixture', version: 1 });
  const { step } = await loop.query(controlStatusQuery);
  while ((await loop.query(controlStatusQuery)).step <= step) await sleep(50);
  assert.deepEqual((await run.progress()).steps.at(-1)?.name, 'deploy');
  await stop(loop);
});

test('without a passed gate nothing is deployed, and the report says so', async () => {
  const { run, calls } = await deployingRun(uniqueName('shop'), {
    evaluatePolicies: async () => ({
      results: [],
      gate: { passed: false, reasons: ['too slow'] },
      chosenSeed: 3,
      calibration: { hpaTargetPercent: 60, fixedReplicas: [1] },
      artifact: { sha256: 'e'.repeat(64), bytes: 1 },
    }),
  });
  const { deployment, status } = await run.result();
  assert.deepEqual([status, deployment?.state], ['completed', 'refused']);
  assert.ok(!calls.includes('openControl'));
});

test('a loop that cannot be opened fails the run with its reason', async () => {
  const { run } = await deployingRun(
    uniqueName('shop'),
    { awaitDeployment: untilCancelled },
    {
      openControl: async () => {
        throw ApplicationFailure.nonRetryable('shop/web is scaled by HorizontalPodAutoscaler web.', 'WORKLOAD_OWNED');
      },
    },
  );
  await assert.rejects(run.result());
  const { steps } = await run.progress();
  assert.deepEqual(
    [steps.at(-1)?.name, steps.at(-1)?.status, steps.at(-1)?.summary],
    ['deploy', 'failed', 'control: shop/web is scaled by HorizontalPodAutoscaler web.'],
  );
});

test('the loop of an earlier version is ended first, and gives its workloads free', async () => {
  const name = uniqueName('shop');
  const first = await deployingRun(name);
  await first.run.result();
  const second = await deployingRun(name, {
    registerModel: async () => ({ name: 'fixture', version: 2, alias: 'champion' }),
  });
  const { deployment } = await second.run.result();
  assert.equal(deployment?.state, 'open');
  // The workers of the second run end the first one's loop.
  assert.deepEqual(
    second.calls.filter((call) => /^(closeControl|openControl)/.test(call)),
    ['closeControl stopped', 'openControl'],
  );
  assert.deepEqual(second.specs[0].model, { name: 'fixture', version: 2 });
  await stop(second.loop);
});
