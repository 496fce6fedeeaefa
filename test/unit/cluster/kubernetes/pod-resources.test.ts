import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podResources } from '../../../../src/cluster/kubernetes/pod-resources.ts';

const container = (requests: Record<string, string>, limits: Record<string, string> = {}, restartPolicy?: string) => ({
  name: 'c',
  resources: { requests, limits },
  ...(restartPolicy === undefined ? {} : { restartPolicy }),
});

test('requests and limits are summed over containers and the init containers that go on running', () => {
  const spec = {
    containers: [
      container({ cpu: '100m', memory: '64Mi' }, { cpu: '200m', memory: '128Mi' }),
      container({ cpu: '0.05' }, { memory: '1Gi' }),
      { name: 'bare' },
    ],
    initContainers: [
      container({ cpu: '10m', memory: '40Mi' }, { cpu: '2' }, 'Always'),
      container({ cpu: '8', memory: '8Gi' }, { cpu: '8' }),
    ],
  };
  assert.deepEqual(podResources(spec), {
    cpuRequestMillicores: 160,
    cpuLimitMillicores: 2200,
    memoryRequestBytes: (64 + 1024 + 40) * 2 ** 20,
    memoryLimitBytes: (128 + 1024) * 2 ** 20,
  });
});

test('nothing set is null, and a zero is a zero', () => {
  assert.deepEqual(podResources({ containers: [{ name: 'c' }] }), {
    cpuRequestMillicores: null,
    cpuLimitMillicores: null,
    memoryRequestBytes: null,
    memoryLimitBytes: null,
  });
  assert.equal(podResources({ containers: [container({ cpu: '0' })] }).cpuRequestMillicores, 0);
});

test('a container without a request asks for its limit; what is set for the pod counts instead of the sums', () => {
  const containers = [container({}, { cpu: '300m' }), container({ cpu: '100m' }, { cpu: '500m' })];
  assert.equal(podResources({ containers }).cpuRequestMillicores, 400);
  const whole = { requests: { cpu: '1' }, limits: { cpu: '2' } };
  const { cpuRequestMillicores, cpuLimitMillicores } = podResources({ containers, resources: whole });
  assert.deepEqual([cpuRequestMillicores, cpuLimitMillicores], [1000, 2000]);
  const limited = podResources({ containers: [{ name: 'c' }], resources: { limits: { cpu: '2' } } });
  assert.deepEqual([limited.cpuRequestMillicores, limited.cpuLimitMillicores], [2000, 2000]);
});
