import assert from 'node:assert/strict';
import type { ControlEvent, ControlStore, DeploymentSpec } from '../../src/contracts/control.ts';
import { someDecision, someDeployment, someDeploymentSpec, somePlacement, someSummary } from './control-fixtures.ts';
import { refusedWith } from './refused-with.ts';
import { moment } from './store-fixtures.ts';
import type { It } from './store-suite.ts';

const stopped = { status: 'stopped', failure: null, at: moment(100) } as const;

/** What the store of deployments, decisions and events must do. */
export function controlTests(it: It): void {
  deploymentTests(it);
  claimTests(it);
  decisionTests(it);
  eventTests(it);
}

function deploymentTests(it: It): void {
  it('a deployment is opened, read and closed; its first end stays', async ({ control }) => {
    assert.equal(await control.getDeployment('a'), null);
    await control.openDeployment(someDeployment('a'));
    assert.deepEqual(await control.getDeployment('a'), someDeployment('a'));
    await control.closeDeployment('a', { status: 'failed', failure: 'CLUSTER_REFUSED: no', at: moment(50) });
    await control.closeDeployment('a', stopped);
    const end = { status: 'failed', failure: 'CLUSTER_REFUSED: no', closedAt: moment(50) };
    assert.deepEqual(await control.getDeployment('a'), { ...someDeployment('a'), ...end });
  });

  it('closing a deployment that never was changes nothing', async ({ control }) => {
    await control.closeDeployment('a', stopped);
    assert.equal(await control.getDeployment('a'), null);
    assert.deepEqual(await control.listDeployments(), []);
  });

  it('the same spec opens once, another one is refused while the first runs', async ({ control }) => {
    await control.openDeployment(someDeployment('a'));
    await control.openDeployment(someDeployment('a', undefined, 500));
    assert.deepEqual((await control.getDeployment('a'))?.openedAt, moment(0));
    const live = { ...someDeployment('a'), spec: someDeploymentSpec('a', 'live') };
    await refusedWith('DEPLOYMENT_CONFLICT', control.openDeployment(live));
    await control.closeDeployment('a', stopped);
    await control.openDeployment({ ...live, openedAt: moment(200) });
    const again = await control.getDeployment('a');
    assert.deepEqual(
      [again?.status, again?.spec.mode, again?.openedAt, again?.closedAt],
      ['running', 'live', moment(200), null],
    );
  });

  it('a deployment from before there was placement is the same as one that does not place', async ({ control }) => {
    const { placement: _none, ...before } = someDeploymentSpec('a');
    await control.openDeployment({ ...someDeployment('a'), spec: before as DeploymentSpec });
    await control.openDeployment({ ...someDeployment('a'), spec: { ...before, placement: null } });
    assert.ok(!('placement' in (await control.getDeployment('a'))!.spec));
    await refusedWith('DEPLOYMENT_CONFLICT', control.openDeployment(someDeployment('a')));
  });

  it('deployments are listed once each, newest first', async ({ control }) => {
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      await control.openDeployment(someDeployment(name, [name], index));
    }
    await control.closeDeployment('a', stopped);
    await control.openDeployment(someDeployment('a', ['a'], 10));
    const names = (await control.listDeployments()).map(({ name, status }) => [name, status]);
    assert.deepEqual(names, [
      ['a', 'running'],
      ['c', 'running'],
      ['b', 'running'],
    ]);
  });

  it('the record of every opening is kept, those that failed not', async ({ control }) => {
    assert.deepEqual(await control.deploymentHistory('a'), []);
    const live = { ...someDeployment('a', ['x'], 200), spec: someDeploymentSpec('a', 'live') };
    await control.openDeployment(someDeployment('a', ['x']));
    await control.closeDeployment('a', stopped);
    await control.openDeployment(someDeployment('b', ['x'], 120));
    await refusedWith('WORKLOAD_CLAIMED', control.openDeployment({ ...live, openedAt: moment(150) }));
    await control.closeDeployment('b', { ...stopped, at: moment(160) });
    await control.openDeployment(live);
    const first = { ...someDeployment('a', ['x']), status: 'stopped', closedAt: moment(100) };
    assert.deepEqual(await control.deploymentHistory('a'), [first, live]);
  });

  it('paused owners are added, each once', async ({ control }) => {
    const owner = { workload: 'shop/frontend', kind: 'HorizontalPodAutoscaler', name: 'web' } as const;
    const other = { workload: 'shop/cartservice', kind: 'ScaledObject', name: 'cart' } as const;
    await refusedWith('DEPLOYMENT_NOT_FOUND', control.recordPausedOwners('a', [owner]));
    await control.openDeployment(someDeployment('a'));
    await control.recordPausedOwners('a', [owner]);
    await control.recordPausedOwners('a', [owner, other]);
    assert.deepEqual((await control.getDeployment('a'))?.pausedOwners, [owner, other]);
    await control.closeDeployment('a', stopped);
    assert.deepEqual((await control.getDeployment('a'))?.pausedOwners, [owner, other]);
  });
}

function claimTests(it: It): void {
  it('a workload belongs to one running deployment: the refusal names both, and claims nothing', async ({
    control,
  }) => {
    await control.openDeployment(someDeployment('first', ['b', 'c']));
    const error = await refusedWith('WORKLOAD_CLAIMED', control.openDeployment(someDeployment('second', ['a', 'c'])));
    assert.match(error.message, /first.*shop\/c/);
    assert.equal(await control.getDeployment('second'), null);
    await control.openDeployment(someDeployment('third', ['a']));
    await control.closeDeployment('first', stopped);
    await control.closeDeployment('third', stopped);
    await control.openDeployment(someDeployment('second', ['a', 'c']));
    await refusedWith('WORKLOAD_CLAIMED', control.openDeployment(someDeployment('first', ['b', 'c'], 300)));
    assert.equal((await control.getDeployment('first'))?.status, 'stopped');
  });

  it('of deployments that open at once and share workloads exactly one has them', async ({ control }) => {
    const names = ['d0', 'd1', 'd2', 'd3'];
    const workloads = [
      ['m', 'b'],
      ['b', 'z'],
      ['c', 'b'],
      ['b', 'a'],
    ];
    const opened = await Promise.allSettled(
      names.map((name, i) => control.openDeployment(someDeployment(name, workloads[i]))),
    );
    const won = names.filter((_, i) => opened[i]?.status === 'fulfilled');
    assert.equal(won.length, 1, JSON.stringify(opened));
    for (const [i, name] of names.entries()) {
      assert.equal((await control.getDeployment(name))?.status, won.includes(name) ? 'running' : undefined);
      const result = opened[i];
      if (result?.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'WORKLOAD_CLAIMED');
    }
    await control.closeDeployment(won[0]!, stopped);
    await control.openDeployment(someDeployment('after', ['a', 'b', 'c', 'm', 'z']));
  });

  it('the same deployment opened many times at once is opened once', async ({ control }) => {
    await Promise.all([0, 1, 2, 3].map((seconds) => control.openDeployment(someDeployment('a', ['x', 'y'], seconds))));
    assert.equal((await control.listDeployments()).length, 1);
    await refusedWith('WORKLOAD_CLAIMED', control.openDeployment(someDeployment('b', ['y'])));
  });
}

function decisionTests(it: It): void {
  it('a decision comes back bit for bit, its result beside it', async ({ control }) => {
    const decision = someDecision('a', 7);
    assert.deepEqual(await control.writeDecision(decision), decision);
    assert.deepEqual(await control.getDecision('a', 7), decision);
    const result = [{ workload: 'shop/frontend', outcome: 'scaled', replicas: 4, detail: '' }] as const;
    await control.completeDecision('a', 7, { result, summary: someSummary('a', 7) });
    const complete = { ...decision, result, summary: someSummary('a', 7) };
    assert.deepEqual(await control.getDecision('a', 7), complete);
    assert.deepEqual(await control.latestDecision('a'), complete);
    assert.deepEqual(await control.readDecisions({ deployment: 'a' }), [complete]);
  });

  it('what was decided and done about the placement comes back with its decision', async ({ control }) => {
    const decision = { ...someDecision('a', 7), placement: somePlacement };
    await control.writeDecision(decision);
    assert.deepEqual(await control.getDecision('a', 7), decision);
    const { workload, pod } = { workload: 'shop/frontend', pod: 'frontend-a' };
    const placementResult = [{ workload, kind: 'move', pod, outcome: 'evicted', detail: '' }] as const;
    const end = { result: [], placementResult, summary: { ...someSummary('a', 7), placed: 1 } };
    await control.completeDecision('a', 7, end);
    assert.deepEqual(await control.getDecision('a', 7), { ...decision, ...end });
  });

  it('the first decision of a step and its first result stay', async ({ control }) => {
    const first = someDecision('a', 0);
    await control.writeDecision(first);
    assert.deepEqual(await control.writeDecision({ ...first, actor: 'nobody', proposals: [] }), first);
    await refusedWith('INTERNAL', control.completeDecision('a', 1, { result: [], summary: someSummary('a', 1) }));
    await control.completeDecision('a', 0, { result: [], summary: someSummary('a', 0) });
    await control.completeDecision('a', 0, { result: null, summary: someSummary('a', 99) });
    const stored = await control.writeDecision({ ...first, actor: 'fallback' });
    assert.deepEqual(stored, { ...first, result: [], summary: someSummary('a', 0) });
  });

  it('of many that write or complete one step at once one wins, and all are told the same', async ({ control }) => {
    const writers = [0, 1, 2, 3, 4, 5];
    const told = await Promise.all(
      writers.map((milliseconds) =>
        control.writeDecision({ ...someDecision('a', 3), problems: [`attempt ${milliseconds}`] }),
      ),
    );
    assert.equal(new Set(told.map(({ problems }) => problems[0])).size, 1);
    const completed = writers.map((changed) =>
      control.completeDecision('a', 3, { result: [], summary: { ...someSummary('a', 3), changed } }),
    );
    await Promise.all(completed);
    const stays = await control.getDecision('a', 3);
    await control.completeDecision('a', 3, { result: null, summary: someSummary('a', 3) });
    assert.deepEqual(await control.getDecision('a', 3), stays);
  });

  it('decisions are read in pages of rising steps, whatever is missing between them', async ({ control }) => {
    const steps = [0, 1, 2, 255, 256, 257, 1500];
    for (const step of [...steps].reverse()) await control.writeDecision(small('a', step));
    await control.writeDecision(small('ab', 700));
    for (const step of [1, 255, 256]) {
      await control.completeDecision('a', step, { result: [], summary: someSummary('a', step) });
    }
    assert.deepEqual(await stepsOf(control, 'a'), steps);
    assert.deepEqual(await stepsOf(control, 'a', 1, 3), [2, 255, 256]);
    assert.deepEqual(await stepsOf(control, 'a', 255), [256, 257, 1500]);
    assert.deepEqual(await stepsOf(control, 'a', 1500), []);
    assert.deepEqual(await stepsOf(control, 'unknown'), []);
    const page = await control.readDecisions({ deployment: 'a', afterStep: 0, limit: 3 });
    assert.deepEqual(
      page.map(({ step, summary }) => [step, summary?.step]),
      [
        [1, 1],
        [2, undefined],
        [255, 255],
      ],
    );
    assert.equal((await control.latestDecision('a'))?.step, 1500);
    assert.equal((await control.latestDecision('ab'))?.step, 700);
    assert.equal(await control.latestDecision('unknown'), null);
    for (const limit of [0, 1001, 1.5]) {
      await refusedWith('REQUEST_INVALID', control.readDecisions({ deployment: 'a', limit }));
    }
  });
}

function eventTests(it: It): void {
  it('events are kept once each and listed newest first', async ({ control }) => {
    const event = (step: number, kind: ControlEvent['kind'], message: string): ControlEvent => ({
      deployment: 'a',
      step,
      at: moment(step),
      kind,
      alert: kind === 'fallback',
      message,
    });
    const events = [event(0, 'opened', 'x'), event(4, 'fallback', 'p95'), event(9, 'mode', 'live')];
    for (const each of events) await control.addEvent(each);
    await control.addEvent({ ...events[1]!, at: moment(40), alert: false });
    await control.addEvent({ ...events[0]!, deployment: 'b' });
    assert.deepEqual(await control.listEvents('a'), [...events].reverse());
    await control.addEvent(event(10, 'workload-missing', 'shop/a is not there'));
    await control.addEvent({ ...event(10, 'workload-missing', 'shop/b is not there'), at: moment(11) });
    const messages = (await control.listEvents('a')).map(({ message }) => message).slice(0, 2);
    assert.deepEqual(messages, ['shop/b is not there', 'shop/a is not there']);
    assert.deepEqual(await control.listEvents('unknown'), []);
  });

  it('at most the last 200 events are listed', async ({ control }) => {
    for (let step = 0; step < 205; step++) {
      await control.addEvent({
        deployment: 'a',
        step,
        at: moment(step),
        kind: 'moved-by-other',
        alert: false,
        message: '',
      });
    }
    const listed = await control.listEvents('a');
    assert.deepEqual([listed.length, listed[0]?.step, listed.at(-1)?.step], [200, 204, 5]);
  });
}

/** A decision with little in it. */
function small(deployment: string, step: number) {
  return { ...someDecision(deployment, step), observation: null, policy: null, guardContext: null };
}

async function stepsOf(
  control: ControlStore,
  deployment: string,
  afterStep?: number,
  limit?: number,
): Promise<number[]> {
  return (await control.readDecisions({ deployment, afterStep, limit })).map(({ step }) => step);
}
