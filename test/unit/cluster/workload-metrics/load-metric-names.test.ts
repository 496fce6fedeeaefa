import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { loadMetricNames } from '../../../../src/cluster/workload-metrics/load-metric-names.ts';
import { standardMetricNames } from '../../../../src/cluster/workload-metrics/metric-names.ts';

function file(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'metric-names-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'names.json'), text);
  return join(folder, 'names.json');
}

test('without a file the names are the standard ones', () => {
  assert.equal(loadMetricNames(null), standardMetricNames);
});

test('a file changes what it names, and nothing else', (t) => {
  const names = {
    calls: { istio: { requests: 'mesh_requests_total', server: { filter: { side: 'in' } }, client: null } },
    pods: { podLabel: 'pod_name', containerFilter: { container_name: { not: ['POD'] } } },
  };
  const { istio, opentelemetry } = standardMetricNames.calls;
  assert.deepEqual(loadMetricNames(file(t, JSON.stringify(names))), {
    calls: {
      istio: {
        ...istio,
        requests: 'mesh_requests_total',
        server: { ...istio.server, filter: { side: 'in' } },
        client: null,
      },
      opentelemetry,
    },
    pods: { ...standardMetricNames.pods, ...names.pods },
    replicas: standardMetricNames.replicas,
  });
});

for (const [what, text, message] of [
  ['no JSON', '{', /cannot be read as JSON/],
  ['a misspelt field', '{"pods":{"cpu":"x"}}', /pods.*cpu/],
  ['an expression instead of a name', '{"pods":{"cpuSeconds":"up} or vector(1)"}}', /pods\.cpuSeconds/],
  ['a label that is none', '{"calls":{"istio":{"protocolLabel":"a-b"}}}', /calls\.istio\.protocolLabel/],
] as const) {
  test(`a file with ${what} is refused with its place`, (t) => {
    const path = file(t, text);
    assert.throws(() => loadMetricNames(path), { code: 'CONFIG_INVALID', message });
    assert.throws(() => loadMetricNames(path), { message: new RegExp(`COXSWAIN_METRICS_NAMES: the file ${path} `) });
  });
}

test('a file that is not there is refused', () => {
  assert.throws(() => loadMetricNames('/nowhere/names.json'), { code: 'CONFIG_INVALID', message: /ENOENT/ });
});
