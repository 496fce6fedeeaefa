import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application } from '../../../../../src/rl/environments/online-boutique/application.ts';
import { onlineBoutiqueApplication } from '../../../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { compileTopology } from '../../../../../src/rl/environments/online-boutique/topology.ts';
import { validateApplication } from '../../../../../src/rl/environments/online-boutique/validate-application.ts';

const topology = compileTopology(onlineBoutiqueApplication);
const serviceIndex = (name: string): number => topology.services.indexOf(name);

test('a request passes the stages of its call tree depth first', () => {
  const type = topology.requestTypes.indexOf('addToCart');
  const stages = topology.stageService.subarray(topology.typeStart[type], topology.typeStart[type + 1]);
  assert.deepEqual(
    [...stages].map((service) => topology.services[service]),
    ['frontend', 'productcatalogservice', 'cartservice', 'redis-cart', 'redis-cart'],
  );
});

test('the calls of an average request follow from the mix, as worked out by hand', () => {
  const visits = (name: string): number => topology.visits[serviceIndex(name)] * 28;
  assert.ok(Math.abs(visits('frontend') - 28) < 1e-9);
  // index 10 · 3, product 2 · 13, viewCart 4 · 6, checkout 4 · 1.
  assert.ok(Math.abs(visits('currencyservice') - 84) < 1e-9);
  // index 1 · 3, product 6 · 13, addToCart 1 · 3, viewCart 7 · 6, checkout 7 · 1.
  assert.ok(Math.abs(visits('productcatalogservice') - 133) < 1e-9);
  assert.ok(Math.abs(visits('paymentservice') - 1) < 1e-9);
});

test('the eleven services of Online Boutique are there, each called by something', () => {
  assert.equal(topology.services.length, 11);
  for (const [s, name] of topology.services.entries()) assert.ok(topology.visits[s] > 0, name);
});

test('the bundled application is valid', () => {
  assert.equal(validateApplication(onlineBoutiqueApplication), onlineBoutiqueApplication);
});

test('an application that cannot be simulated is refused with what is wrong', () => {
  const { services, requests } = onlineBoutiqueApplication;
  const refused = (application: Application, message: RegExp): void =>
    assert.throws(() => validateApplication(application), { code: 'ENVIRONMENT_INVALID', message });
  refused({ services: [], requests }, /at least one service/);
  refused({ services: [...services, services[0]], requests }, /two services are called "frontend"/);
  refused({ services: [{ ...services[0], serviceSeconds: -1 }], requests }, /"frontend": serviceSeconds .* not -1/);
  refused({ services: [{ ...services[0], serviceSeconds: NaN }], requests }, /serviceSeconds .* not NaN/);
  refused({ services: [{ ...services[0], minReplicas: 50 }], requests }, /minReplicas 50 is above/);
  refused({ services, requests: [{ name: 'x', weight: 1, call: { service: 'nobody' } }] }, /unknown service "nobody"/);
  refused({ services, requests: [] }, /weights/);
  refused(
    { services, requests: [{ name: 'x', weight: 1, call: { service: 'frontend', times: 0 } }] },
    /times .* not 0/,
  );
  refused(
    { services, requests: [{ name: 'x', weight: 1, call: { service: 'frontend', share: 1.5 } }] },
    /share of "frontend" must be .* not 1.5/,
  );
});

test('a call that only a share of the requests makes counts by that share, with what is called from there', () => {
  const { services } = onlineBoutiqueApplication;
  const [frontend, adservice, cart] = services;
  const { visits, typeBaseMean, stageShare, stageCaller, stageEnd, stagePath } = compileTopology({
    services: [frontend, adservice, cart],
    requests: [
      {
        name: 'get',
        weight: 1,
        call: {
          service: 'frontend',
          calls: [
            { service: 'adservice', share: 0.5, calls: [{ service: 'cartservice', share: 0.5 }] },
            { service: 'cartservice' },
          ],
        },
      },
    ],
  });
  assert.deepEqual([...visits], [1, 0.5, 1.25]);
  assert.deepEqual([...stageShare], [1, 0.5, 0.25, 1]);
  assert.deepEqual([...stageCaller], [-1, 0, 1, 0]);
  assert.deepEqual([...stageEnd], [4, 3, 3, 4]);
  assert.equal(stagePath[2], 'get/frontend:1/adservice:1/cartservice:1');
  // 0.042 + 0.5 · 0.013 + 1.25 · 0.013 s.
  assert.ok(Math.abs(typeBaseMean[0] - 0.06475) < 1e-12);
});
