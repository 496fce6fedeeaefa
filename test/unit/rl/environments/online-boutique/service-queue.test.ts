import assert from 'node:assert/strict';
import test from 'node:test';
import { queueExponent, solveQueue } from '../../../../../src/rl/environments/online-boutique/service-queue.ts';

const solve = (content: number, servers: number, capacity: number, scale = 1): { rho: number; waiting: number } => {
  const solution = { utilisation: 0, waitingRatio: 0 };
  solveQueue(content, servers, capacity, queueExponent(servers), scale, solution);
  return { rho: solution.utilisation, waiting: solution.waitingRatio * solution.utilisation };
};

/** Content that a step ends with when ρ is `rho`: what stays and what was served. */
const contentAt = (rho: number, servers: number, capacity: number, scale = 1): number =>
  servers * rho + (scale * rho ** queueExponent(servers)) / (1 - rho) + capacity * rho;

test('the solution fulfils F(ρ) + capacity · ρ = content within 0.5 %, idle, busy and overloaded', () => {
  for (const servers of [1, 2, 10, 80]) {
    for (const rho of [0.001, 0.2, 0.5, 0.8, 0.95, 0.999, 0.99999]) {
      const capacity = servers * 200;
      const { rho: found, waiting } = solve(contentAt(rho, servers, capacity), servers, capacity);
      const expected = rho ** queueExponent(servers) / (1 - rho);
      assert.ok(Math.abs(found / rho - 1) < 0.003, `${servers} servers: ρ ${found} instead of ${rho}`);
      assert.ok(Math.abs((1 - found) / (1 - rho) - 1) < 0.003, `${servers} servers: 1 − ρ at ${rho}`);
      assert.ok(Math.abs(waiting - expected) < 0.005 * expected + 1e-9, `${servers} servers: waiting at ${rho}`);
    }
  }
});

test('one server with exponential service has the queue of M/M/1 in the long run', () => {
  // ρ = 0.8: ρ² / (1 − ρ) = 3.2 wait. 100 calls/s, 8 ms each, in steps of 5 s.
  let inSystem = 0;
  for (let step = 0; step < 50; step++) {
    const { rho, waiting } = solve(inSystem + 500, 1, 625);
    inSystem = rho + waiting;
  }
  assert.ok(Math.abs(inSystem - 4) < 0.02, `${inSystem} in system, 4 expected`);
});

test('an overloaded queue grows by what its servers cannot do', () => {
  const { rho, waiting } = solve(2000, 2, 1000);
  assert.ok(rho > 0.99);
  assert.ok(Math.abs(rho * 2 + waiting + 1000 * rho - 2000) < 1);
  assert.ok(waiting > 995);
});

test('an empty queue stays empty', () => {
  assert.deepEqual(solve(0, 3, 100), { rho: 0, waiting: 0 });
});
