import assert from 'node:assert/strict';
import test from 'node:test';
import { compileTopology } from '../../../../../src/rl/environments/online-boutique/topology.ts';
import { boutiqueGraph } from '../../../../../src/rl/environments/service-graph/boutique-graph.ts';
import { everyService } from '../../../../../src/rl/environments/service-graph/graph-application.ts';
import type { Feature, GraphApplication } from '../../../../../src/rl/environments/service-graph/graph-application.ts';
import { instantiate } from '../../../../../src/rl/environments/service-graph/instance.ts';
import type { Instance, InstanceState } from '../../../../../src/rl/environments/service-graph/instance.ts';
import { currentRoutes } from '../../../../../src/rl/environments/service-graph/routes.ts';
import { validateGraphApplication } from '../../../../../src/rl/environments/service-graph/validate-graph-application.ts';

const [frontend, adservice] = boutiqueGraph.services;
const reviews: Feature = {
  name: 'reviews',
  services: [{ ...adservice, name: 'review', canaries: false }],
  calls: [{ requests: ['get'], caller: 'adservice', call: { service: 'review', share: 0.5 } }],
};
const small: GraphApplication = {
  services: [frontend, adservice],
  requests: [{ name: 'get', weight: 1, call: { service: 'frontend', calls: [{ service: 'adservice' }] } }],
  features: [reviews],
};

function instance(base: string, slot: number, changes: Partial<InstanceState> = {}): Instance {
  const state: InstanceState = {
    slot,
    identity: slot + 1,
    base,
    version: 1,
    slowness: 1,
    sidecar: true,
    feature: null,
    phase: 'serving',
    share: 1,
    stepsLeft: 0,
    ...changes,
  };
  return instantiate(
    state,
    everyService(small).find(({ name }) => name === base)!,
  );
}

test('a call goes to every version with its share, and each of them makes the calls of the features', () => {
  const routes = currentRoutes(small, 5, [
    instance('frontend', 0),
    instance('adservice', 3, { share: 0.75 }),
    instance('adservice', 1, { version: 2, share: 0.25 }),
    instance('review', 2, { feature: 'reviews' }),
  ]);
  assert.deepEqual(
    routes.services.map(({ name }) => name),
    ['frontend', 'adservice-v2', 'review', 'adservice', ''],
  );
  const { stageService, stageShare } = compileTopology(routes);
  assert.deepEqual([...stageService], [0, 3, 2, 1, 2]);
  assert.deepEqual([...stageShare], [1, 0.75, 0.375, 0.25, 0.125]);
});

test('what starts gets no calls, and what drains is passed by but keeps its place', () => {
  const stages = (phase: Instance['phase'], share: number): [number[], number[]] => {
    const review = instance('review', 2, { feature: 'reviews', phase, share });
    const { stageService, stageShare } = compileTopology(
      currentRoutes(small, 3, [instance('frontend', 0), instance('adservice', 1), review]),
    );
    return [[...stageService], [...stageShare]];
  };
  assert.deepEqual(stages('starting', 0), [
    [0, 1],
    [1, 1],
  ]);
  assert.deepEqual(stages('draining', 0), [
    [0, 1, 2],
    [1, 1, 0],
  ]);
});

test('a version has its own name and service time; without a sidecar it saves half of the network time', () => {
  const { service } = instance('adservice', 1, { version: 3, slowness: 1.5, sidecar: false });
  assert.deepEqual(
    [service.name, service.serviceSeconds, service.networkSeconds, service.sidecar],
    ['adservice-v3', 1.5 * adservice.serviceSeconds, adservice.networkSeconds / 2, false],
  );
});

test('the bundled application is valid, fits into 20 slots with every feature, and adds less than the SLO to a request', () => {
  assert.equal(validateGraphApplication(boutiqueGraph, 11), boutiqueGraph);
  assert.equal(boutiqueGraph.services.length, 11);
  const every = everyService(boutiqueGraph);
  const instances = every.map((service, slot) =>
    instantiate({ ...instance('frontend', slot), base: service.name, sidecar: service.sidecar }, service),
  );
  const { typeBaseMean, requestTypes } = compileTopology(currentRoutes(boutiqueGraph, every.length, instances));
  typeBaseMean.forEach((seconds, type) => assert.ok(seconds < 0.4, `${requestTypes[type]}: ${seconds} s`));
});

test('an application that cannot change like this is refused with what is wrong', () => {
  const refused = (changes: Partial<GraphApplication>, message: RegExp): void =>
    assert.throws(() => validateGraphApplication({ ...small, ...changes }, 2), {
      code: 'ENVIRONMENT_INVALID',
      message,
    });
  const feature = (changes: Partial<Feature>): Partial<GraphApplication> => ({
    features: [{ ...reviews, ...changes }],
  });
  const call = reviews.calls[0];
  refused({ services: [frontend, adservice, { ...adservice, name: 'third' }] }, /3 services .* only 2 nodes/);
  refused({ services: [{ ...frontend, canaries: true }, adservice] }, /users call one version of "frontend" only/);
  refused({ services: [frontend, { ...adservice, memoryIdleMebibytes: 1e6 }] }, /"adservice": memory must satisfy/);
  refused(feature({ hours: [18, 9] }), /hours must rise within 0 … 24, not 18 … 9/);
  refused(feature({ services: [] }), /unknown service "review"/);
  refused(feature({ calls: [{ ...call, requests: ['put'] }] }), /extends the unknown request "put"/);
  refused(feature({ calls: [{ ...call, caller: 'nobody' }] }), /the caller "nobody" is unknown/);
  refused(feature({ calls: [{ ...call, call: { service: 'nobody' } }] }), /unknown service "nobody"/);
  refused(
    feature({ calls: [call, { ...call, caller: 'review', call: { service: 'adservice' } }] }),
    /calls of features go round: adservice → review → adservice/,
  );
});
