import assert from 'node:assert/strict';
import test from 'node:test';
import { onlineBoutiqueApplication } from '../../../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { PodFleet } from '../../../../../src/rl/environments/online-boutique/pod-fleet.ts';

/** One service, 2 … 8 replicas, 15 s to start, 10 s to stop, sub-steps of 5 s. */
function fleetOf(replicas: number): PodFleet {
  const service = { ...onlineBoutiqueApplication.services[0], minReplicas: 2, maxReplicas: 8 };
  const fleet = new PodFleet([{ ...service, startupSeconds: 15, terminationSeconds: 10 }], 5);
  fleet.reset([replicas]);
  return fleet;
}

const counts = (fleet: PodFleet): number[] => [
  fleet.desired[0],
  fleet.ready[0],
  fleet.startingTotal[0],
  fleet.existing[0],
];

test('new pods are ready after exactly their delay', () => {
  const fleet = fleetOf(3);
  assert.equal(fleet.scale(0, 5), true);
  assert.deepEqual(counts(fleet), [5, 3, 2, 5]);
  fleet.elapse();
  fleet.elapse();
  assert.deepEqual(counts(fleet), [5, 3, 2, 5]);
  fleet.elapse();
  assert.deepEqual(counts(fleet), [5, 5, 0, 5]);
});

test('stopping pods serve no more but exist until their time is over', () => {
  const fleet = fleetOf(6);
  fleet.scale(0, 4);
  assert.deepEqual(counts(fleet), [4, 4, 0, 6]);
  assert.equal(fleet.stoppedNow[0], 2);
  fleet.elapse();
  assert.equal(fleet.stoppedNow[0], 0);
  assert.deepEqual(counts(fleet), [4, 4, 0, 6]);
  fleet.elapse();
  assert.deepEqual(counts(fleet), [4, 4, 0, 4]);
});

test('the newest starting pods are removed before ready ones', () => {
  const fleet = fleetOf(3);
  fleet.scale(0, 5);
  fleet.elapse();
  fleet.scale(0, 6);
  fleet.scale(0, 4);
  assert.deepEqual(counts(fleet), [4, 3, 1, 4]);
  fleet.elapse();
  fleet.elapse();
  assert.deepEqual(counts(fleet), [4, 4, 0, 4], 'the one that was created first is left');
});

test('replicas stay within the limits and a change that changes nothing says so', () => {
  const fleet = fleetOf(1);
  assert.deepEqual(counts(fleet), [2, 2, 0, 2]);
  assert.equal(fleet.scale(0, 0), false);
  assert.equal(fleet.scale(0, 99), true);
  assert.equal(fleet.desired[0], 8);
});
