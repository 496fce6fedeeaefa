import assert from 'node:assert/strict';
import test from 'node:test';
import { Pods } from '../../../../../src/rl/environments/placement/pods.ts';
import { drawScenario } from '../../../../../src/rl/environments/placement/scenario.ts';
import { smallScenario } from './small-scenario.ts';

test('a pod fits where CPU and memory suffice, exactly', () => {
  const pods = new Pods(smallScenario);
  pods.addReady(0, 0);
  assert.ok(pods.fits(0, 0), 'the second web fills the CPU of node 0');
  pods.addReady(0, 0);
  assert.ok(!pods.fits(0, 0) && !pods.fits(1, 0));
  assert.ok(pods.fits(1, 3), 'a store fills the memory of node 3');
  pods.addStarting(1, 3);
  assert.ok(!pods.fits(1, 3) && !pods.fits(0, 3));
  pods.remove(1, 3);
  assert.ok(pods.fits(1, 3));
});

test('a pod fits neither beside a service in conflict, nor in a zone that is closed to it, nor on a node that is down', () => {
  const scenario = {
    ...smallScenario,
    conflicts: Uint8Array.of(0, 1, 1, 0),
    allowedZones: Uint8Array.of(1, 1, 1, 0),
  };
  const pods = new Pods(scenario);
  pods.addStarting(0, 0);
  assert.deepEqual(
    [0, 1, 2, 3].map((node) => pods.fits(1, node)),
    [false, false, true, false],
  );
  pods.fail(2);
  assert.ok(!pods.fits(1, 2));
});

test('a pod that starts is counted but not ready, is taken away first, and is ready later', () => {
  const pods = new Pods(smallScenario);
  pods.addReady(0, 2);
  pods.addStarting(0, 2);
  pods.addStarting(0, 1);
  assert.deepEqual([pods.count(0, 2), pods.total[0], pods.totalReady[0]], [2, 3, 1]);
  pods.remove(0, 2);
  assert.deepEqual([pods.count(0, 2), pods.totalReady[0]], [1, 1]);
  pods.becomeReady();
  assert.deepEqual([pods.total[0], pods.totalReady[0], pods.ready[1], pods.readyInZone[1]], [2, 2, 1, 1]);
});

test('a node that fails loses its pods and their requests', () => {
  const pods = new Pods(smallScenario);
  pods.addReady(0, 2);
  pods.addStarting(1, 2);
  pods.addReady(1, 0);
  assert.equal(pods.fail(2), 2);
  assert.deepEqual([pods.up[2], pods.onNode[2], pods.requestedCpu[2], pods.requestedMemory[2]], [0, 0, 0, 0]);
  assert.deepEqual([pods.total[0], pods.total[1]], [0, 1]);
});

test('a state goes through JSON', () => {
  const pods = new Pods(smallScenario);
  pods.addReady(0, 2);
  pods.addReady(0, 2);
  pods.addStarting(1, 1);
  pods.fail(3);
  const copy = new Pods(smallScenario);
  copy.addReady(1, 0);
  copy.loadState(JSON.parse(JSON.stringify(pods.saveState())));
  assert.deepEqual(copy, pods);
});

test('a scenario is the same for the same settings, another one for another seed, and what it holds fits', () => {
  const settings = { nodes: 8, zones: 3, services: 6, fillShare: 0.5, affinity: true };
  const draw = (scenarioSeed: number) => drawScenario({ ...settings, scenarioSeed });
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  for (let seed = 0; seed < 200; seed++) {
    const { nodeCpu, nodeMemory, podCpu, podMemory, peakReplicas, allowedZones, zones, calls } = draw(seed);
    const total = nodeCpu.reduce((sum, cpu) => sum + cpu, 0);
    const requested = podCpu.reduce((sum, cpu, s) => sum + cpu * peakReplicas[s], 0);
    assert.ok(requested > 0.45 * total && requested < 0.75 * total, `seed ${seed}: ${requested / total}`);
    assert.ok(Math.max(...podCpu) <= Math.min(...nodeCpu) && Math.max(...podMemory) <= Math.min(...nodeMemory));
    assert.ok(calls.every(({ caller, callee }, index) => callee === index + 1 && caller < callee));
    podCpu.forEach((_, s) => assert.ok(allowedZones.subarray(s * zones, (s + 1) * zones).includes(1)));
  }
});
