import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlState, DeploymentRecord } from '../../../src/contracts/control.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { ArtifactReference } from '../../../src/contracts/stores.ts';
import { runControlStep } from '../../../src/control/control-step.ts';
import { liveDeployment } from '../../../src/control/live-deployment.ts';
import { replayDeployment } from '../../../src/control/replay-deployment.ts';
import { firstState } from '../../../src/domain/control/fallback-rules.ts';
import { perceptron, perceptronLayout } from '../../../src/rl/networks.ts';
import { policyModel } from '../../../src/rl/policy-export.ts';
import { loadPolicy } from '../../../src/rl/policy.ts';
import { Generator } from '../../../src/rl/random.ts';
import { ActionLayout } from '../../../src/rl/spaces.ts';
import type { Twin } from '../../../src/rl/twin/twin.ts';
import { encodeTwin } from '../../../src/rl/twin/twin-bytes.ts';
import { createMemoryArtifactStore } from '../../fakes/memory-store.ts';
import { application, ControlBench, deploymentRecord } from './control-bench.ts';

const stepMs = 15_000;

/** A policy for the bench's two services, as a run would have registered it. */
function policyFile(seed: number, observationSize: number, choices: number[]): Uint8Array {
  const actions = new ActionLayout(choices);
  const network = { inputs: observationSize, hiddenSizes: [8], outputs: actions.logits, activation: 'tanh' as const };
  const layout = perceptronLayout('policy', network);
  const generator = new Generator(seed);
  const parameters = Float32Array.from({ length: layout.size }, () => generator.normal());
  return policyModel(
    {
      kind: 'categorical',
      observationSize,
      layout,
      actions,
      outputs: (named, { observation }) => ({ logits: perceptron('policy', network, named, observation) }),
    },
    { parameters, normalisation: null },
  );
}

/** The sizes of what a policy is asked in the bench. */
async function sizesOfBench(): Promise<{ observationSize: number; maskSize: number }> {
  const bench = new ControlBench();
  await bench.step();
  const { observation, mask } = (await bench.store.getDecision('shop', 0))!.policy!;
  return {
    observationSize: Buffer.from(observation, 'base64').length / 4,
    maskSize: Buffer.from(mask!, 'base64').length,
  };
}

/** A deployment whose loop can be opened, driven and closed with real policies. */
async function createLoop() {
  const bench = new ControlBench();
  const artifacts = createMemoryArtifactStore();
  const { observationSize, maskSize } = await sizesOfBench();
  const twinBytes = encodeTwin({
    version: 1,
    application,
    graph: {},
    changesPerHour: 0,
    report: {},
  } as unknown as Twin);
  const twin = await artifacts.put(twinBytes);
  const policyOf = async (seed: number): Promise<ArtifactReference> =>
    artifacts.put(policyFile(seed, observationSize, [maskSize / 2, maskSize / 2]));
  let state: ControlState = firstState('shop', 'live', 0);

  /** @param acting the policy that answers; the recorded one unless a test spoils it. */
  async function run(steps: number, recorded: ArtifactReference, acting = recorded): Promise<void> {
    const base = deploymentRecord();
    const record: DeploymentRecord = {
      ...base,
      environment: { ...base.environment, name: 'twin' },
      policy: recorded,
      twin,
      openedAt: bench.now(),
    };
    await bench.store.openDeployment(record);
    const policy = await loadPolicy(await artifacts.get(acting));
    bench.policies.ask = async ({ observation, mask }) => {
      if (bench.policies.dead) throw new CoxswainError('POLICY_UNAVAILABLE', 'It is dead.');
      return { action: Array.from(await policy.act(observation, mask)), memory: new Float32Array() };
    };
    const live = liveDeployment(record, application);
    for (let i = 0; i < steps; i++) {
      bench.metrics.cpuMillicores = 150 + 90 * i;
      bench.metrics.requestsPerSecond = 40 + 7.3 * i;
      bench.metrics.away = i === 3;
      const summary = await runControlStep(bench.ports, live, state, new AbortController().signal);
      state = { ...summary.state, fallback: null };
      bench.timeMs += stepMs;
    }
    await policy.dispose();
    await bench.store.closeDeployment('shop', { status: 'stopped', failure: null, at: bench.now() });
    bench.timeMs += stepMs;
  }
  return { bench, artifacts, policyOf, run, ports: { control: bench.store, artifacts } };
}

test('a record is computed again with the policy file that made it, also the spec and policy of an earlier opening', async () => {
  const { policyOf, run, ports, bench } = await createLoop();
  await run(8, await policyOf(1));
  await run(6, await policyOf(2));
  const decisions = await bench.store.readDecisions({ deployment: 'shop' });
  assert.equal(new Set(decisions.map(({ policy }) => policy?.sha256)).size, 3, 'two policies, and none in two steps');
  assert.deepEqual(await replayDeployment(ports, 'shop'), { steps: 14, policyAnswers: 12 });
});

test('a range is computed again from its first step on', async () => {
  const { policyOf, run, ports } = await createLoop();
  await run(10, await policyOf(1));
  const progress: number[] = [];
  const onProgress = (steps: number): void => void progress.push(steps);
  assert.equal((await replayDeployment(ports, 'shop', { from: 4, to: 7, onProgress })).steps, 4);
  assert.deepEqual(progress, [4]);
  assert.equal((await replayDeployment(ports, 'shop', { from: 9 })).steps, 1);
  assert.equal((await replayDeployment(ports, 'shop', { to: 0 })).steps, 1);
  assert.equal((await replayDeployment(ports, 'shop', { from: 20 })).steps, 0);
});

test('another policy than the recorded one is found at its first answer that differs', async () => {
  const { policyOf, run, ports } = await createLoop();
  await run(3, await policyOf(1));
  await run(3, await policyOf(2), await policyOf(3));
  assert.equal((await replayDeployment(ports, 'shop', { to: 2 })).steps, 3);
  await assert.rejects(replayDeployment(ports, 'shop'), (error: unknown) => {
    assert.ok(error instanceof CoxswainError && error.code === 'REPLAY_DIFFERS', String(error));
    assert.match(error.message, /^Step [345] differs in /);
    return true;
  });
});

test('an unknown deployment, a lost policy file and an interruption are said', async () => {
  const { policyOf, run, ports } = await createLoop();
  await assert.rejects(replayDeployment(ports, 'shop'), { code: 'DEPLOYMENT_NOT_FOUND' });
  await run(2, await policyOf(1));
  const empty = { ...ports, artifacts: createMemoryArtifactStore() };
  await assert.rejects(replayDeployment(empty, 'shop'), { code: 'ARTIFACT_NOT_FOUND' });
  await assert.rejects(replayDeployment(ports, 'shop', { signal: AbortSignal.abort(new Error('Ctrl-C')) }), /Ctrl-C/);
});
