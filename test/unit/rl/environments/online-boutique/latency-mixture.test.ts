import assert from 'node:assert/strict';
import test from 'node:test';
import { LatencyMixture, normalTail } from '../../../../../src/rl/environments/online-boutique/latency-mixture.ts';

const near = (actual: number, expected: number, share: number): void =>
  assert.ok(Math.abs(actual / expected - 1) <= share, `${actual} is not within ${share} of ${expected}`);

test('the normal tail agrees with printed tables', () => {
  near(normalTail(1.959964), 0.025, 1e-5);
  near(normalTail(-1), 0.8413447, 1e-6);
  near(normalTail(3), 0.001349898, 1e-3);
});

test('one component is the lognormal distribution of its mean and variance', () => {
  const mixture = new LatencyMixture(1);
  // σ² = ln(1 + 0.04 / 0.16) = 0.223144, μ = ln 0.4 − σ² / 2: p95 = exp(μ + 1.644854 · 0.472381) = 0.778205.
  mixture.add(100, 0.4, 0.04);
  near(mixture.quantile(0.95), 0.778205, 2e-4);
  near(mixture.countAbove(0.778205), 5, 1e-3);
});

test('a quantile of a mixture is where the counts of its components above it add up', () => {
  const mixture = new LatencyMixture(3);
  mixture.add(80, 0.1, 0.001);
  mixture.add(15, 0.5, 0.01);
  mixture.add(5, 30, 4);
  for (const share of [0.5, 0.9, 0.95, 0.99]) {
    near(mixture.countAbove(mixture.quantile(share)), 100 * (1 - share), 0.01);
  }
});

test('appending mixtures counts the requests of all', () => {
  const first = new LatencyMixture(1);
  first.add(50, 0.1, 0.001);
  const second = new LatencyMixture(1);
  second.add(50, 10, 0.1);
  const both = new LatencyMixture(2);
  both.append(first);
  both.append(second);
  assert.equal(both.requests, 100);
  near(both.countAbove(1), 50, 1e-6);
});

test('components without requests do not count, and no requests have latency 0', () => {
  const mixture = new LatencyMixture(1);
  mixture.add(0, 0.1, 0.001);
  assert.equal(mixture.requests, 0);
  assert.equal(mixture.quantile(0.95), 0);
});
