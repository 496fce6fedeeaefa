import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { add, concat, slice } from '@tensorflow/tfjs-core';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { PolicyProcesses, PolicyQuestion } from '../../../src/contracts/policy-process.ts';
import { perceptron, perceptronLayout } from '../../../src/rl/networks.ts';
import type { CategoricalArchitecture } from '../../../src/rl/policy-architecture.ts';
import { policyModel } from '../../../src/rl/policy-export.ts';
import { loadPolicy } from '../../../src/rl/policy.ts';
import { Generator } from '../../../src/rl/random.ts';
import { ActionLayout } from '../../../src/rl/spaces.ts';
import { createPolicyProcesses } from '../../../workers/policy/policy-processes.ts';
import type { PolicyProcessOptions } from '../../../workers/policy/policy-processes.ts';
import { readFileSync } from 'node:fs';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { childrenOf, isAlive } from '../../integration/process-table.ts';

const program = fileURLToPath(new URL('../../fakes/policy-child.ts', import.meta.url));
const observationSize = 6;
const choices = [3, 5];

/** An exported policy with random weights; with a memory it remembers the first numbers of what it has seen. */
function exportedPolicy(memorySize: number): Uint8Array {
  const actions = new ActionLayout(choices);
  const inputs = observationSize + memorySize;
  const network = { inputs, hiddenSizes: [16], outputs: actions.logits, activation: 'tanh' as const };
  const layout = perceptronLayout('policy', network);
  const generator = new Generator(3);
  const architecture: CategoricalArchitecture = {
    kind: 'categorical',
    observationSize,
    memorySize,
    layout,
    actions,
    outputs: (named, { observation, memory }) => {
      if (memory === undefined) return { logits: perceptron('policy', network, named, observation) };
      const logits = perceptron('policy', network, named, concat([observation, memory], 1));
      return { logits, memory: add(slice(observation, [0, 0], [-1, memorySize]), memory) };
    },
  };
  const parameters = Float32Array.from({ length: layout.size }, () => generator.normal());
  return policyModel(architecture, { parameters, normalisation: null });
}

const files: Record<string, Uint8Array> = {
  plain: exportedPolicy(0),
  remembering: exportedPolicy(2),
  broken: Uint8Array.of(1, 2, 3),
};

/** Processes whose policies are the files above, or parts of the fake program. */
function processes(options: Partial<PolicyProcessOptions> = {}): PolicyProcesses {
  const load: PolicyProcessOptions['load'] = async ({ sha256 }) => files[sha256] ?? Buffer.from(sha256);
  // A busy machine must not be mistaken for a policy that hangs.
  return createPolicyProcesses({ environment: {}, load, answerTimeoutMs: 20_000, startTimeoutMs: 60_000, ...options });
}

function question(policy: string, changes: Partial<PolicyQuestion> = {}): PolicyQuestion {
  return {
    deployment: 'shop',
    policy: { sha256: policy, bytes: 1 },
    observation: new Float32Array(observationSize),
    mask: null,
    memory: new Float32Array(0),
    ...changes,
  };
}

const unavailable = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CoxswainError);
  assert.equal(error.code, 'POLICY_UNAVAILABLE');
  assert.match(error.message, reason);
  return true;
};

const policyChildren = (): number[] => childrenOf(new Set([process.pid]), 'policy-');

test('a policy in its process answers as it does in this one, bit for bit', async () => {
  const policies = processes();
  const here = await loadPolicy(files.remembering);
  const generator = new Generator(9);
  let memory = new Float32Array(0);
  const mine = new Float32Array(2);
  const seen = new Set<string>();
  for (let k = 0; k < 200; k++) {
    const observation = Float32Array.from({ length: observationSize }, () => 2 * generator.normal());
    const mask = Uint8Array.from({ length: 8 }, (_, i) => Number(i === 0 || i === 3 || generator.uniform() < 0.6));
    const answer = await policies.ask(question('remembering', { observation, mask, memory }));
    const expected = await here.act(observation, mask, mine);
    assert.deepEqual(answer.action, [...expected]);
    assert.deepEqual(answer.memory, mine);
    memory = Float32Array.from(answer.memory);
    seen.add(String(answer.action));
  }
  assert.ok(seen.size > 3, 'the answers depend on the questions');
  await policies.release('shop');
  await here.dispose();
});

test('a question of other sizes than the policy’s is refused, and the next one is answered', async () => {
  const policies = processes();
  const wrong: [Partial<PolicyQuestion>, RegExp][] = [
    [{ observation: new Float32Array(7) }, /takes 6 numbers, 8 choices and 0 numbers of memory; it was asked with 7 /],
    [{ mask: new Uint8Array(3) }, /it was asked with 6 numbers, 3 choices/],
    [{ memory: new Float32Array(4) }, /8 choices and 4 numbers of memory/],
  ];
  for (const [changes, reason] of wrong) {
    await assert.rejects(policies.ask(question('plain', changes)), unavailable(reason));
    assert.equal((await policies.ask(question('plain'))).action.length, 2);
  }
  await policies.release('shop');
});

test('bytes that are no policy make it unavailable, and leave no process', async () => {
  const policies = processes();
  await assert.rejects(policies.ask(question('broken')), unavailable(/no policy file of Coxswain/));
  assert.deepEqual(policyChildren(), []);
});

test('trouble with the store is the store’s, not the policy’s', async () => {
  for (const code of ['STORE_UNAVAILABLE', 'ARTIFACT_NOT_FOUND', 'ARTIFACT_CORRUPT'] as const) {
    const load = async (): Promise<never> => {
      throw new CoxswainError(code, 'planted');
    };
    await assert.rejects(processes({ load }).ask(question('plain')), { code });
  }
});

test('a process that dies while it is asked makes the policy unavailable; the next question starts another', async () => {
  const policies = processes({ program });
  const first = await policies.ask(question('dies'));
  const observation = Float32Array.of(1);
  await assert.rejects(policies.ask(question('dies', { observation })), unavailable(/ended with signal SIGKILL/));
  const second = await policies.ask(question('dies'));
  assert.notEqual(first.action[0], second.action[0]);
  assert.ok(!isAlive(first.action[0]) && isAlive(second.action[0]));
  await policies.release('shop');
});

test('that a process died between two questions is said once; then another starts', async () => {
  const policies = processes({ program });
  const [pid] = (await policies.ask(question('tells-its-pid'))).action;
  process.kill(pid, 'SIGKILL');
  while (isAlive(pid)) await sleep(10);
  await sleep(200); // for the news
  await assert.rejects(policies.ask(question('tells-its-pid')), unavailable(/ended with signal SIGKILL/));
  const [next] = (await policies.ask(question('tells-its-pid'))).action;
  assert.notEqual(next, pid);
  await policies.release('shop');
});

test('a process that hangs is ended after the time for an answer, although it hears nothing', async () => {
  const policies = processes({ program, answerTimeoutMs: 400 });
  const [pid] = await firstAnswer(policies, 'hangs');
  const observation = Float32Array.of(1);
  const startedMs = performance.now();
  await assert.rejects(policies.ask(question('hangs', { observation })), unavailable(/did not answer within 400 ms/));
  assert.ok(performance.now() - startedMs < 5_000);
  assert.ok(!isAlive(pid));
});

test('a process that never has its policy loaded is ended after the time for that', async () => {
  const policies = processes({ program, startTimeoutMs: 500 });
  await assert.rejects(policies.ask(question('never-loads')), unavailable(/did not answer within 500 ms/));
  assert.deepEqual(policyChildren(), []);
});

test('questions at the same time share one process', async () => {
  const policies = processes({ program });
  const answers = await Promise.all(Array.from({ length: 8 }, () => policies.ask(question('tells-its-pid'))));
  assert.equal(new Set(answers.map(({ action: [pid] }) => pid)).size, 1);
  assert.equal(policyChildren().length, 1);
  await policies.release('shop');
  assert.deepEqual(policyChildren(), []);
});

test('another policy of the same deployment takes the place of the process before', async () => {
  const policies = processes({ program });
  const [before] = (await policies.ask(question('tells-its-pid'))).action;
  const [after] = (await policies.ask(question('dies'))).action;
  assert.ok(!isAlive(before) && isAlive(after));
  assert.deepEqual(policyChildren(), [after]);
  await policies.release('shop');
});

test('each deployment has a process of its own, and a release ends only its', async () => {
  const policies = processes({ program });
  const ask = async (deployment: string) => (await policies.ask(question('tells-its-pid', { deployment }))).action[0];
  const [shop, bank] = [await ask('shop'), await ask('bank')];
  await policies.release('shop');
  assert.ok(!isAlive(shop) && isAlive(bank));
  await policies.release('nobody');
  await policies.release('bank');
  assert.deepEqual(policyChildren(), []);
});

test('a release while the process starts ends it', async () => {
  const policies = processes({ program });
  const asked = assert.rejects(policies.ask(question('never-loads')), unavailable(/not wanted any more/));
  while (policyChildren().length === 0) await sleep(10);
  await policies.release('shop');
  await asked;
  assert.deepEqual(policyChildren(), []);
});

test('a question that is given up ends with the reason, at once, also while the process starts', async () => {
  const reason = new Error('the step is over');
  for (const observation of [new Float32Array(1), Float32Array.of(1)]) {
    const policies = processes({ program });
    const stop = new AbortController();
    const part = observation[0] === 0 ? 'never-loads' : 'hangs';
    if (part === 'hangs') await policies.ask(question(part));
    const asked = assert.rejects(policies.ask(question(part, { observation }), stop.signal), reason);
    while (policyChildren().length === 0) await sleep(10);
    stop.abort(reason);
    await asked;
    assert.deepEqual(policyChildren(), []);
    await assert.rejects(policies.ask(question(part), stop.signal), reason);
    assert.deepEqual(policyChildren(), []);
  }
});

test('a process ends by itself when its worker is killed', async () => {
  const worker = fork(fileURLToPath(new URL('../../fakes/policy-worker.ts', import.meta.url)));
  const [pid] = (await once(worker, 'message')) as [number];
  assert.ok(isAlive(pid));
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  for (let waited = 0; isAlive(pid) && waited < 10_000; waited += 20) await sleep(20);
  assert.ok(!isAlive(pid));
});

test('a process sees only the environment that it is given', async () => {
  process.env.PLANTED_SECRET = 'planted';
  const policies = processes({ program, environment: { ONLY: 'this' } });
  const [pid] = (await policies.ask(question('tells-its-pid'))).action;
  const names = environmentOf(pid).filter((name) => !name.startsWith('NODE_'));
  assert.deepEqual(names, ['ONLY']);
  await policies.release('shop');
  delete process.env.PLANTED_SECRET;
});

test('twenty thousand questions leave neither listeners nor memory behind', async () => {
  const policies = processes();
  const stop = new AbortController(); // as one worker's signal over many steps
  const ask = async (count: number): Promise<void> => {
    for (let k = 0; k < count; k++) await policies.ask(question('plain'), stop.signal);
  };
  await ask(2_000);
  const before = heapMb();
  await ask(20_000);
  const grown = heapMb() - before;
  assert.ok(grown < 4, `the heap grew by ${grown.toFixed(1)} MB`);
  await policies.release('shop');
});

/** The first answer, which has to wait for the process, with as many attempts as a busy machine needs. */
async function firstAnswer(policies: PolicyProcesses, policy: string): Promise<readonly number[]> {
  for (;;) {
    const answer = await policies.ask(question(policy)).catch(() => null);
    if (answer !== null) return answer.action;
  }
}

function environmentOf(pid: number): string[] {
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  return entries.filter((entry) => entry !== '').map((entry) => entry.split('=')[0]);
}

/** The heap after everything that can be collected was. */
function heapMb(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let k = 0; k < 3; k++) collect();
  return getHeapStatistics().used_heap_size / 1e6;
}
