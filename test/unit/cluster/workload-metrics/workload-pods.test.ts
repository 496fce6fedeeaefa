import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { podJoin } from '../../../../src/cluster/workload-metrics/workload-pods.ts';

const long = 'a-service-whose-name-is-nearly-as-long-as-a-name-can-be-here';
const ownerOf = podJoin(['shop/cart', 'shop/cart-db', 'shop/redis', 'shop/web-0', 'other/cart', `shop/${long}`]);

for (const [pod, owner] of [
  ['cart-5d8f9c7b4-x2k9p', 'shop/cart'],
  ['cart-db-5d8f9c7b4-x2k9p', 'shop/cart-db'],
  ['cart-db-0', 'shop/cart-db'],
  ['redis-12', 'shop/redis'],
  // A StatefulSet whose own name looks like a pod's.
  ['web-0-1', 'shop/web-0'],
  // A DaemonSet, a CronJob and a bare pod of somebody else.
  ['cart-agent-x2k9p', null],
  ['cart-28391820-x2k9p', null],
  ['cart-v2-5d8f9c7b4-x2k9p', null],
  ['cart', null],
  ['cart-', null],
  // The API server cuts what it makes names of at 58 characters.
  [`${`${long}-`.slice(0, 58)}x2k9p`, `shop/${long}`],
] as const) {
  test(`the pod ${pod} belongs to ${owner}`, () => assert.equal(ownerOf('shop', pod), owner));
}

test('a pod of another namespace belongs to the workload there', () => {
  assert.equal(ownerOf('other', 'cart-5d8f9c7b4-x2k9p'), 'other/cart');
  assert.equal(ownerOf('third', 'cart-5d8f9c7b4-x2k9p'), null);
});

const samples = join(import.meta.dirname, '../../../../../shared/data/prometheus-samples/victoriametrics');
const answer = join(samples, 'testdata__instant_response.json');

test(
  'pods of a real cluster belong to the Deployments that they are named after',
  {
    skip: existsSync(answer) ? false : `optional: ${answer} is not there`,
  },
  () => {
    const series = JSON.parse(readFileSync(answer, 'utf8')) as { metric: Record<string, string> }[];
    // There, a Deployment's service has its name.
    const pods = series
      .map(({ metric }) => metric)
      .filter(({ pod, service }) => pod && /-[a-z0-9]+-[a-z0-9]{5}$/.test(pod) && service);
    const owner = podJoin(pods.map(({ namespace, service }) => `${namespace}/${service}`));
    assert.ok(pods.length >= 10, `${pods.length} pods`);
    for (const { namespace, pod, service } of pods) assert.equal(owner(namespace, pod), `${namespace}/${service}`);
  },
);
