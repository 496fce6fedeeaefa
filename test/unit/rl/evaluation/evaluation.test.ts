import assert from 'node:assert/strict';
import test from 'node:test';
import { createFixedReplicas } from '../../../../src/rl/baselines/fixed-replicas.ts';
import { createHpa } from '../../../../src/rl/baselines/hpa.ts';
import { calibrate } from '../../../../src/rl/evaluation/calibrate.ts';
import { spreadEpisodes } from '../../../../src/rl/evaluation/episodes.ts';
import { evaluateController, evaluatePolicy } from '../../../../src/rl/evaluation/evaluate.ts';
import { meanPods, meanViolationRate, scoreOf } from '../../../../src/rl/evaluation/score.ts';
import type { EpisodeMeasures } from '../../../../src/rl/evaluation/evaluate.ts';
import { onlineBoutiqueTask } from '../../../../src/rl/environments/online-boutique/scaling.ts';
import type { ScalingEnvironment, ScalingTask } from '../../../../src/rl/environments/scaling-environment.ts';
import { createOnlineBoutique } from '../../../../src/rl/environments/online-boutique/online-boutique.ts';
import type { Policy } from '../../../../src/rl/policy.ts';

const trace = Float64Array.from({ length: 300 }, (_, bin) => 15 * (60 + 50 * Math.sin(bin / 30)));
const options = { trace, episodeSteps: 60 };
const task = onlineBoutiqueTask(options);
const episodes = spreadEpisodes(trace.length, 4, 60, 1);
const plenty = [10, 4, 6, 2, 10, 2, 2, 10, 6, 3, 1];

/** A policy that always chooses the same. */
const constantPolicy = (choice: number): Policy => {
  const act = (observations: Float32Array): Promise<Int32Array> =>
    Promise.resolve(new Int32Array((observations.length / 120) * 11).fill(choice));
  return {
    observationSize: 120,
    actionMaskSize: 165,
    choices: Array.from({ length: 11 }, () => 15),
    actionSize: 11,
    memorySize: 0,
    act,
    sample: act,
    dispose: () => Promise.resolve(),
  };
};

test('episodes are spread over the whole part, first and last bin included', () => {
  assert.deepEqual(
    spreadEpisodes(300, 4, 60, 1).map(({ offset }) => offset),
    [0, 80, 160, 240],
  );
  assert.deepEqual(
    spreadEpisodes(60, 1, 60, 1).map(({ offset }) => offset),
    [0],
  );
  assert.deepEqual(spreadEpisodes(300, 4, 60, 1), spreadEpisodes(300, 4, 60, 1));
  assert.notDeepEqual(spreadEpisodes(300, 4, 60, 1), spreadEpisodes(300, 4, 60, 2));
  assert.throws(() => spreadEpisodes(59, 4, 60, 1), { code: 'RECORDING_TOO_SHORT' });
});

test('fixed replicas cost their number of pods, and few of them violate the SLO', () => {
  const measures = evaluateController(createFixedReplicas(plenty), task, [episodes[0]]);
  // The pods that the episode began with are scaled to the fixed counts in the first step.
  assert.ok(Math.abs(measures[0].podSeconds / 900 - 56) < 0.5, `${measures[0].podSeconds / 900} pods`);
  assert.ok(measures[0].sloViolationRate < 1e-3);
  const [scarce] = evaluateController(createFixedReplicas(Array(11).fill(1)), task, [episodes[0]]);
  assert.ok(scarce.sloViolationRate > 0.5);
  assert.ok(scarce.p95LatencySeconds > 10);
});

test('the measures of an episode add up those of its steps', () => {
  const environment = createOnlineBoutique(options);
  environment.resetAt(episodes[1].offset, episodes[1].seed);
  const sums = { podSeconds: 0, actions: 0, reward: 0, requests: 0, violations: 0 };
  for (let step = 0; step < 60; step++) {
    const { measures, reward } = environment.stepReplicas(plenty);
    sums.podSeconds += measures.podSeconds;
    sums.actions += measures.actionsPerMinute / 4;
    sums.reward += reward;
    sums.requests += measures.requestsPerSecond * 15;
    sums.violations += measures.sloViolationRate * measures.requestsPerSecond * 15;
  }
  const [measures] = evaluateController(createFixedReplicas(plenty), task, [episodes[1]]);
  assert.equal(measures.podSeconds, sums.podSeconds);
  assert.ok(Math.abs(measures.actionsPerMinute - sums.actions / 15) < 1e-9);
  assert.ok(Math.abs(measures.episodeReturn - sums.reward) < 1e-9);
  assert.ok(Math.abs(measures.requests - sums.requests) < 1e-6);
  assert.ok(Math.abs(measures.sloViolationRate - sums.violations / sums.requests) < 1e-12);
});

test('a policy that does nothing on top of the HPA measures what the HPA measures', async () => {
  const based = onlineBoutiqueTask({ ...options, actionBase: 'hpa', hpaTargetPercent: 50 });
  const policy = await evaluatePolicy(constantPolicy(0), based, episodes);
  assert.deepEqual(policy, evaluateController(createHpa({ targetPercent: 50 }), based, episodes));
});

/** The task without masks, in episodes of these lengths. */
function unmaskedTask(lengths: readonly number[]): ScalingTask {
  let made = 0;
  const createForAgent = (): ScalingEnvironment => {
    const environment = task.createForAgent();
    let left = lengths[made++];
    return {
      description: environment.description,
      view: environment.view,
      stepSeconds: environment.stepSeconds,
      get latencies() {
        return environment.latencies;
      },
      reset: (seed) => environment.reset(seed),
      resetAt: (offset, seed) => ({ ...environment.resetAt(offset, seed), actionMask: null }),
      step: (action) => ({ ...environment.step(action), actionMask: null, truncated: --left <= 0 }),
      stepReplicas: (replicas) => environment.stepReplicas(replicas),
      saveState: () => environment.saveState(),
      loadState: (state) => environment.loadState(state),
    };
  };
  return { ...task, createForAgent };
}

test('a policy is judged over each episode to its own end, and without masks may do everything', async () => {
  const policy = constantPolicy(0);
  const forbidden: number[] = [];
  const act: Policy['act'] = (observations, masks) => {
    forbidden.push(masks!.filter((bit) => bit === 0).length);
    return policy.act(observations, masks);
  };
  const measures = await evaluatePolicy({ ...policy, act }, unmaskedTask([20, 40, 10]), episodes.slice(0, 3));
  assert.deepEqual(
    measures.map(({ seconds }) => seconds / 15),
    [20, 40, 10],
  );
  assert.deepEqual(forbidden, new Array<number>(40).fill(0));
});

test('an evaluation stops when it is told to', async () => {
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await assert.rejects(evaluatePolicy(constantPolicy(0), task, episodes, stop.signal), /enough/);
});

test('the score is mean pods plus the price of violations above the allowance', () => {
  const episode = (pods: number, sloViolationRate: number): EpisodeMeasures => ({
    p95LatencySeconds: 0.2,
    sloViolationRate,
    podSeconds: pods * 900,
    actionsPerMinute: 1,
    episodeReturn: 0,
    requests: 1000,
    seconds: 900,
  });
  const measures = [episode(20, 0.01), episode(30, 0.03)];
  assert.equal(meanPods(measures), 25);
  assert.equal(meanViolationRate(measures), 0.02);
  assert.ok(Math.abs(scoreOf(measures, { violationPrice: 4, violationAllowance: 0.005 }) - (25 + 4 * 1.5)) < 1e-9);
  assert.ok(Math.abs(scoreOf(measures, { violationPrice: 4, violationAllowance: 0.05 }) - 25) < 1e-9);
});

test('calibration takes the target with the best score and fixed counts that meet the SLO and could not all be lower', () => {
  const { hpaTargetPercent, candidates, fixedReplicas } = calibrate(task, episodes, [90, 20, 60]);
  assert.deepEqual(
    candidates.map(({ targetPercent }) => targetPercent),
    [20, 60, 90],
  );
  const best = Math.min(...candidates.map(({ score }) => score));
  assert.equal(candidates.find(({ score }) => score === best)!.targetPercent, hpaTargetPercent);
  assert.ok(candidates.every(({ measures, score }) => scoreOf(measures) === score));
  const violations = (replicas: readonly number[]): number =>
    meanViolationRate(evaluateController(createFixedReplicas(replicas), task, episodes));
  assert.ok(violations(fixedReplicas) <= 0.001);
  assert.ok(violations(fixedReplicas.map((count) => Math.max(1, count - 1))) > 0.001);
});
