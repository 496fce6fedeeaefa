import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceSeries } from '../../../src/contracts/cluster-metrics.ts';
import type { ClusterRecording } from '../../../src/contracts/cluster-metrics.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { decodeClusterRecording, encodeClusterRecording } from '../../../src/recordings/cluster-recording-format.ts';
import { Generator } from '../../../src/rl/random.ts';

/** A recording of any size with any values, unknown ones among them. */
function anyRecording(generator: Generator): ClusterRecording {
  const pick = (below: number): number => Math.floor(generator.uniform() * below);
  const bins = pick(20);
  const column = (): Float32Array =>
    Float32Array.from({ length: bins }, () => [NaN, 0, generator.normal() * 1e6, 1e-30][pick(4)]);
  const amount = (): number | null => (pick(2) === 0 ? null : pick(5000));
  return {
    namespace: 'shop',
    dialect: pick(2) === 0 ? 'istio' : 'opentelemetry',
    startSeconds: 1_700_000_000 + pick(1000),
    binSeconds: 1 + pick(60),
    bins,
    entry: 'shop/frontend-ä',
    requestsPerSecond: column(),
    p95Seconds: column(),
    services: Array.from({ length: pick(5) }, (_, i) => ({
      workload: `shop/service-${i}`,
      cpuRequestMillicores: amount(),
      cpuLimitMillicores: amount(),
      memoryRequestBytes: amount(),
      memoryLimitBytes: amount(),
      minReplicas: amount(),
      maxReplicas: amount(),
      startupSeconds: Array.from({ length: pick(3) }, () => generator.uniform() * 30),
      series: Object.fromEntries(serviceSeries.map((name) => [name, column()])) as never,
    })),
    edges: Array.from({ length: pick(4) }, (_, i) => ({
      source: 'unknown',
      target: `shop/service-${i}`,
      protocol: (['http', 'grpc', 'tcp'] as const)[pick(3)],
      callsPerSecond: column(),
      errorRate: column(),
      meanSeconds: column(),
    })),
    gaps: Array.from({ length: pick(3) }, () => ({ what: 'everything', from: 0, to: pick(20) })),
  };
}

const generator = new Generator(11);
const recordings = Array.from({ length: 50 }, () => anyRecording(generator));

test('whatever is recorded comes back from its bytes as it was, with the same bytes again', () => {
  for (const recording of recordings) {
    const bytes = encodeClusterRecording(recording);
    const back = decodeClusterRecording(bytes);
    assert.deepEqual(back, recording);
    assert.deepEqual(encodeClusterRecording(back), bytes);
  }
});

test('the bytes do not depend on the order of fields, nor on how NaN is written in memory', () => {
  const [recording] = recordings.filter(({ services, bins }) => services.length > 1 && bins > 0);
  const reversed = (value: object): object => Object.fromEntries(Object.entries(value).reverse());
  const turned = reversed({
    ...recording,
    services: recording.services.map((service) => reversed({ ...service, series: reversed(service.series) })),
  }) as ClusterRecording;
  assert.deepEqual(encodeClusterRecording(turned), encodeClusterRecording(recording));
  const oddNaN = new Float32Array(Uint32Array.of(0xffc00001).buffer);
  const withNaN = (value: Float32Array): ClusterRecording => ({
    ...recording,
    bins: 1,
    requestsPerSecond: value,
    p95Seconds: Float32Array.of(1),
    services: [],
    edges: [],
  });
  assert.deepEqual(encodeClusterRecording(withNaN(oddNaN)), encodeClusterRecording(withNaN(Float32Array.of(NaN))));
});

test('a recording is read from a view at an odd place of a larger buffer', () => {
  const bytes = encodeClusterRecording(recordings[0]);
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  assert.deepEqual(decodeClusterRecording(shifted.subarray(3)), recordings[0]);
});

test('cut off anywhere, it is refused', () => {
  const bytes = encodeClusterRecording(recordings.find(({ services, bins }) => services.length > 1 && bins > 3)!);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeClusterRecording(bytes.subarray(0, length)), { code: 'ARTIFACT_CORRUPT' }, `${length}`);
  }
  assert.throws(() => decodeClusterRecording(Buffer.concat([bytes, Buffer.alloc(4)])), { code: 'ARTIFACT_CORRUPT' });
});

test('with any byte of its head changed it is refused, or read as numbers and names of the same kind', () => {
  const bytes = encodeClusterRecording(recordings.find(({ services, bins }) => services.length > 1 && bins > 3)!);
  const head = 12 + new DataView(bytes.buffer).getUint32(8, true);
  for (let at = 0; at < head; at++) {
    const changed = bytes.slice();
    changed[at] ^= 1 << Math.floor(generator.uniform() * 8);
    try {
      assert.equal(typeof decodeClusterRecording(changed).entry, 'string');
    } catch (error) {
      assert.ok(error instanceof CoxswainError && error.code === 'ARTIFACT_CORRUPT', String(error));
    }
  }
});

test('other letters, another version and metadata that lies about its series are named', () => {
  const bytes = encodeClusterRecording(recordings[0]);
  const changed = (change: (copy: Buffer) => void): Buffer => {
    const copy = Buffer.from(bytes);
    change(copy);
    return copy;
  };
  for (const [broken, message] of [
    [changed((copy) => copy.write('CXWR', 0)), /expected the letters CXCR/],
    [changed((copy) => copy.writeUInt32LE(9, 4)), /expected version 1, found 9; record it again/],
    [changed((copy) => copy.write('[', 12)), /no JSON/],
    [changed((copy) => copy.write('"Namespace"', 13)), /lacks a field or holds a wrong one/],
  ] as const)
    assert.throws(() => decodeClusterRecording(broken), { code: 'ARTIFACT_CORRUPT', message });
});

test('a series of another length is a mistake of who records', () => {
  assert.throws(() => encodeClusterRecording({ ...recordings[0], p95Seconds: new Float32Array(99) }), RangeError);
});
