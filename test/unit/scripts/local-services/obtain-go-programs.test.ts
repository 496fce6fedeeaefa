import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { helmVersion, obtainHelm } from '../../../../scripts/local-services/obtain-helm.ts';
import { kubeconformVersion, obtainKubeconform } from '../../../../scripts/local-services/obtain-kubeconform.ts';
import {
  etcdVersion,
  kubernetesVersion,
  kwokVersion,
  obtainKubernetes,
} from '../../../../scripts/local-services/obtain-kubernetes.ts';
import { obtainPrometheus, prometheusVersion } from '../../../../scripts/local-services/obtain-prometheus.ts';

const pinned = [
  { folder: 'kubernetes', module: 'k8s.io/kubernetes', version: kubernetesVersion },
  { folder: 'etcd', module: 'go.etcd.io/etcd/server/v3', version: etcdVersion },
  { folder: 'kwok', module: 'sigs.k8s.io/kwok', version: kwokVersion },
  // The module of Prometheus 3.5.0 is v0.305.0, and so on.
  { folder: 'prometheus', module: 'github.com/prometheus/prometheus', version: moduleOf(prometheusVersion) },
  { folder: 'helm', module: 'helm.sh/helm/v4', version: helmVersion },
  { folder: 'kubeconform', module: 'github.com/yannh/kubeconform', version: kubeconformVersion },
];

for (const { folder, module, version } of pinned) {
  test(`the pinned ${folder} is the one that go.mod names`, () => {
    const lines = moduleFile(folder).split('\n');
    const required = lines.map((line) => line.trim().split(' ')).find(([name]) => name === module);
    assert.equal(required?.[1], `v${version}`);
  });
}

test("Kubernetes's own modules are those of its version", () => {
  const [major, minor, patch] = kubernetesVersion.split('.');
  assert.equal(major, '1');
  const replaced = moduleFile('kubernetes').matchAll(/^\s*(?:replace )?(k8s\.io\/\S+) => \S+ v(\S+)$/gm);
  const versions = Array.from(replaced, ([, name, version]) => ({ name, version }));
  assert.ok(versions.length > 20);
  for (const { name, version } of versions) assert.equal(version, `0.${minor}.${patch}`, name);
});

for (const [what, obtain] of Object.entries({ obtainKubernetes, obtainHelm, obtainKubeconform, obtainPrometheus })) {
  test(`${what}, without the programs and Go, says what was tried and the ways out`, async () => {
    const cache = mkdtempSync(join(tmpdir(), 'coxswain-obtain-'));
    const path = process.env.PATH;
    process.env.PATH = cache;
    try {
      await assert.rejects(
        obtain({ cache }),
        /could not be obtained[^]*there is no `go` on PATH\nWays out: [^]*install Go/,
      );
    } finally {
      process.env.PATH = path;
      rmSync(cache, { recursive: true });
    }
  });
}

function moduleFile(folder: string): string {
  return readFileSync(new URL(`../../../../scripts/local-services/${folder}/go.mod`, import.meta.url), 'utf8');
}

function moduleOf(version: string): string {
  const [major, minor, patch] = version.split('.');
  return `0.${major}${minor!.padStart(2, '0')}.${patch}`;
}
