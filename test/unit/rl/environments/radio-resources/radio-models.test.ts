import assert from 'node:assert/strict';
import test from 'node:test';
import { AgedQueues } from '../../../../../src/rl/environments/radio-resources/aged-queues.ts';
import { Channel } from '../../../../../src/rl/environments/radio-resources/channel.ts';
import {
  BITS_PER_BLOCK,
  broadband,
  reliable,
} from '../../../../../src/rl/environments/radio-resources/link-adaptation.ts';
import {
  coherenceSeconds,
  lineOfSightProbability,
  pathLossDb,
} from '../../../../../src/rl/environments/radio-resources/path-loss.ts';
import { energyOfMillisecond, HIGHEST_ENERGY } from '../../../../../src/rl/environments/radio-resources/power-model.ts';
import { Scheduler } from '../../../../../src/rl/environments/radio-resources/scheduler.ts';
import { Generator } from '../../../../../src/rl/random.ts';

const close = (actual: number, expected: number, tolerance: number, what?: string): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what ?? ''} ${actual}, expected ${expected} ± ${tolerance}`);

test('path loss of TR 38.901 UMa at 3.5 GHz, worked out by hand', () => {
  // d3D = √(100² + 23.5²) = 102.724 m; 20 log10(3.5) = 10.8814
  close(pathLossDb(100, true), 28 + 22 * Math.log10(102.724) + 10.8814, 1e-3);
  close(pathLossDb(100, false), 13.54 + 39.08 * Math.log10(102.724) + 10.8814, 1e-3);
  // Beyond the breakpoint of 4 · 24 · 0.5 · 3.5e9 / c = 560.4 m: 40 dB a decade.
  close(pathLossDb(4000, true) - pathLossDb(1000, true), 40 * Math.log10(4000.07 / 1000.28), 1e-3);
  close(pathLossDb(560.3, true), pathLossDb(560.5, true), 0.1, 'at the breakpoint');
});

test('an obstructed way never loses less than an open one, and losses grow with distance', () => {
  for (let metres = 10; metres < 3000; metres *= 1.3) {
    assert.ok(pathLossDb(metres, false) >= pathLossDb(metres, true));
    assert.ok(pathLossDb(1.1 * metres, true) > pathLossDb(metres, true));
  }
});

test('the line of sight is certain up to 18 m and follows the formula beyond', () => {
  assert.equal(lineOfSightProbability(18), 1);
  close(lineOfSightProbability(100), 0.18 + Math.exp(-100 / 63) * 0.82, 1e-12);
});

test('fast fading decorrelates over 0.423 / Doppler: 12 ms at 10 m/s', () => {
  close(coherenceSeconds(10), 0.423 / ((10 * 3.5e9) / 299_792_458), 1e-12);
});

test('the CQI is the largest whose efficiency the gap formula allows, in both tables', () => {
  for (const [table, bitErrorRate] of [
    [broadband, 5e-5],
    [reliable, 1e-6],
  ] as const) {
    const gap = -Math.log(5 * bitErrorRate) / 1.5;
    for (let decibels = -15; decibels < 40; decibels += 0.7) {
      const sinr = 10 ** (decibels / 10);
      const cqi = table.cqi(sinr);
      const bound = Math.log2(1 + sinr / gap);
      assert.ok(table.efficiencies[cqi] <= bound + 1e-9);
      assert.ok(cqi === 15 || table.efficiencies[cqi + 1] > bound - 1e-9);
    }
  }
  assert.deepEqual([broadband.cqi(0), broadband.cqi(1e9)], [0, 15]);
  close(BITS_PER_BLOCK, 288.96, 1e-9);
});

test('aged queues serve the oldest first, lose what is too old, and count every bit', () => {
  const queues = new AgedQueues(1, 2);
  queues.add(0, 100);
  assert.equal(queues.oldest(0), 0.5);
  queues.age(0);
  queues.add(0, 50);
  assert.deepEqual([queues.oldest(0), queues.backlog[0]], [1, 150]);
  assert.equal(queues.serve(0, 70), 70);
  assert.equal(queues.age(0), 30, 'what is left of the oldest is late');
  assert.deepEqual([queues.backlog[0], queues.serve(0, 1000), queues.oldest(0)], [50, 50, 0]);
});

test('what arrives at aged queues is served, late, or still there, whatever happens', () => {
  const generator = new Generator(3);
  const queues = new AgedQueues(2, 4);
  let [arrived, served, late] = [0, 0, 0];
  for (let step = 0; step < 500; step++) {
    const user = generator.integer(2);
    const bits = generator.integer(1000);
    queues.add(user, bits);
    arrived += bits;
    served += queues.serve(generator.integer(2), generator.integer(900));
    late += queues.age(0) + queues.age(1);
    assert.equal(served + late + queues.backlog[0] + queues.backlog[1], arrived);
  }
  assert.ok(late > 0 && served > 0);
});

const input = (backlog: number[], bitsPerBlock: number[], throughput = [0, 0, 0], wait = [0, 0, 0]) => ({
  backlog: Float64Array.from(backlog),
  bitsPerBlock: Float64Array.from(bitsPerBlock),
  throughput: Float64Array.from(throughput),
  wait: Float64Array.from(wait),
});

function shared(scheduler: number, blocks: number, given: ReturnType<typeof input>): number[] {
  const out = new Int32Array(3);
  const used = new Scheduler(3).share(scheduler, blocks, given, out);
  assert.equal(
    out.reduce((sum, count) => sum + count, 0),
    used,
  );
  return [...out];
}

test('round robin gives equal parts, more where others need less, and begins with another user each time', () => {
  assert.deepEqual(shared(0, 9, input([1e6, 1e6, 1e6], [100, 200, 300])), [3, 3, 3]);
  assert.deepEqual(shared(0, 9, input([100, 1e6, 1e6], [100, 200, 300])), [1, 5, 3]);
  const scheduler = new Scheduler(3);
  const firsts = Array.from({ length: 3 }, () => {
    const out = new Int32Array(3);
    scheduler.share(0, 1, input([1e6, 1e6, 1e6], [100, 100, 100]), out);
    return out.indexOf(1);
  });
  assert.deepEqual(firsts, [0, 1, 2]);
});

test('proportional fair, best channel and longest wait each serve whom their metric names first', () => {
  const given = input([1e6, 1e6, 1e6], [100, 200, 300], [0, 4, 9], [5, 9, 7]);
  assert.deepEqual(shared(1, 4, given), [4, 0, 0], '100 / 1 beats 200 / 5 and 300 / 10');
  assert.deepEqual(shared(2, 4, given), [0, 0, 4]);
  assert.deepEqual(shared(3, 4, given), [0, 4, 0]);
});

test('nobody gets blocks without data or out of reach, nor more than the data need', () => {
  for (const scheduler of [0, 1, 2, 3]) {
    assert.deepEqual(shared(scheduler, 50, input([0, 450, 1e6], [100, 100, 0])), [0, 5, 0]);
    assert.deepEqual(shared(scheduler, 50, input([0, 0, 0], [100, 100, 100])), [0, 0, 0]);
  }
});

test('the base station takes 448 W at full output, 260 W idle, and sleeps at 150 W', () => {
  close(HIGHEST_ENERGY, 0.448, 1e-12);
  close(energyOfMillisecond(50), 0.354, 1e-12);
  close(energyOfMillisecond(1e-12), 0.26, 1e-9);
  close(energyOfMillisecond(0), 0.15, 1e-12);
});

const options = { cellRadius: 250, highestSpeed: 15, neighbourLoad: 0.5 };

/** SINR, dB, of many users who were placed anew. */
function placed(changed: Partial<typeof options>, users = 2000): number[] {
  const channel = new Channel(users, { ...options, ...changed });
  const generator = new Generator(1);
  channel.reset(generator);
  return Array.from({ length: users }, (_, u) => {
    channel.place(u, generator);
    return 10 * Math.log10(channel.sinr[u]);
  });
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

test('users are worse off in larger cells and beside busier neighbours', () => {
  assert.ok(median(placed({ cellRadius: 150 })) > median(placed({ cellRadius: 600 })) + 3);
  assert.ok(median(placed({ neighbourLoad: 0.1 })) > median(placed({ neighbourLoad: 1 })) + 5);
});

test('a channel changes slowly for who walks and fast for who drives', () => {
  const change = (highestSpeed: number): number => {
    const users = 400;
    const channel = new Channel(users, { ...options, highestSpeed, cellRadius: 800 });
    const generator = new Generator(2);
    channel.reset(generator);
    const changes: number[] = [];
    for (let u = 0; u < users; u++) {
      channel.place(u, generator);
      const before = Math.log(channel.sinr[u]);
      channel.advance(u, generator);
      changes.push(Math.abs(Math.log(channel.sinr[u]) - before));
    }
    return median(changes);
  };
  assert.ok(change(40) > 1.5 * change(1));
});

test('a cell carries about what a real 5G network does: bits per second, hertz and layer as in Glasgow 2025', (t) => {
  // Published mean of the data set: 670.63 Mbit/s down, which carriers of 100 MHz and 4 layers carry.
  const measured = 670.63e6 / 100e6 / 4;
  const efficiencies = placed({}).map((decibels) => broadband.efficiencies[broadband.cqi(10 ** (decibels / 10))]);
  const mean = efficiencies.reduce((sum, value) => sum + value, 0) / efficiencies.length;
  t.diagnostic(`modelled ${mean.toFixed(2)}, measured ${measured.toFixed(2)} bit/s/Hz/layer`);
  assert.ok(mean > measured && mean < 3 * measured, 'the test measures an application, the model the air interface');
});
