import { onlineBoutiqueApplication } from '../online-boutique/online-boutique-application.ts';
import type { Feature, GraphApplication, GraphService } from './graph-application.ts';

type Memory = readonly [idle: number, limit: number];

/** Memory requests and limits of the pods in the project's manifests, mebibytes. */
const memory: Readonly<Record<string, Memory>> = {
  adservice: [180, 300],
  recommendationservice: [220, 450],
  'redis-cart': [200, 256],
};
const smallPod: Memory = [64, 128];

/** Services of which no second version is tried: users reach one of them directly, and the other holds data. */
const singleVersion = new Set(['frontend', 'redis-cart']);

const services: readonly GraphService[] = onlineBoutiqueApplication.services.map((service) => {
  const [idle, limit] = memory[service.name] ?? smallPod;
  return {
    ...service,
    memoryIdleMebibytes: idle,
    memoryLimitMebibytes: limit,
    memoryPerCallMebibytes: 1,
    sidecar: service.name !== 'redis-cart',
    canaries: !singleVersion.has(service.name),
  };
});

/** A further service: a small pod like those of the others, unless said otherwise. */
function furtherService(name: string, serviceSeconds: number, changes: Partial<GraphService> = {}): GraphService {
  return {
    name,
    serversPerPod: 2,
    serviceSeconds,
    serviceScv: 1,
    networkSeconds: 0.001,
    startupSeconds: 20,
    terminationSeconds: 5,
    cpuRequestMillicores: 200,
    cpuIdleMillicores: 4,
    cpuBusyMillicores: 98,
    minReplicas: 1,
    maxReplicas: 20,
    memoryIdleMebibytes: 64,
    memoryLimitMebibytes: 128,
    memoryPerCallMebibytes: 1,
    sidecar: true,
    canaries: false,
    ...changes,
  };
}

const features: readonly Feature[] = [
  {
    name: 'reviews',
    services: [
      furtherService('reviewservice', 0.012, {
        startupSeconds: 40,
        memoryIdleMebibytes: 160,
        memoryLimitMebibytes: 300,
      }),
      furtherService('ratingservice', 0.004, { startupSeconds: 15 }),
    ],
    calls: [
      {
        requests: ['product'],
        caller: 'frontend',
        call: { service: 'reviewservice', calls: [{ service: 'ratingservice', share: 0.8 }] },
      },
    ],
  },
  {
    name: 'search',
    services: [furtherService('searchservice', 0.02, { memoryIdleMebibytes: 200, memoryLimitMebibytes: 450 })],
    calls: [
      {
        requests: ['index'],
        caller: 'frontend',
        call: { service: 'searchservice', share: 0.6, calls: [{ service: 'productcatalogservice', times: 3 }] },
      },
    ],
  },
  {
    name: 'wishlist',
    services: [furtherService('wishlistservice', 0.008)],
    calls: [
      { requests: ['viewCart'], caller: 'frontend', call: { service: 'wishlistservice' } },
      { requests: ['product'], caller: 'frontend', call: { service: 'wishlistservice', share: 0.3 } },
    ],
  },
  {
    name: 'inventory',
    services: [furtherService('inventoryservice', 0.006, { startupSeconds: 15 })],
    calls: [
      { requests: ['product'], caller: 'productcatalogservice', call: { service: 'inventoryservice', share: 0.25 } },
      { requests: ['checkout'], caller: 'checkoutservice', call: { service: 'inventoryservice' } },
    ],
  },
  {
    name: 'fraud',
    services: [furtherService('fraudservice', 0.03, { startupSeconds: 30, maxReplicas: 10 })],
    calls: [{ requests: ['checkout'], caller: 'paymentservice', call: { service: 'fraudservice' } }],
  },
  {
    name: 'loyalty',
    services: [furtherService('loyaltyservice', 0.01)],
    calls: [
      { requests: ['viewCart'], caller: 'frontend', call: { service: 'loyaltyservice', share: 0.5 } },
      { requests: ['checkout'], caller: 'checkoutservice', call: { service: 'loyaltyservice' } },
    ],
  },
  {
    name: 'assistant',
    services: [furtherService('shoppingassistantservice', 0.06, { startupSeconds: 45, sidecar: false })],
    calls: [
      {
        requests: ['product'],
        caller: 'frontend',
        call: {
          service: 'shoppingassistantservice',
          share: 0.1,
          calls: [{ service: 'productcatalogservice', times: 2 }],
        },
      },
    ],
  },
  {
    name: 'deals',
    hours: [17, 23],
    services: [furtherService('dealservice', 0.01)],
    calls: [
      {
        requests: ['index'],
        caller: 'frontend',
        call: { service: 'dealservice', calls: [{ service: 'currencyservice', times: 3 }] },
      },
      { requests: ['product'], caller: 'frontend', call: { service: 'dealservice', share: 0.4 } },
    ],
  },
  {
    name: 'giftwrap',
    hours: [9, 18],
    services: [furtherService('giftwrapservice', 0.008, { maxReplicas: 10, sidecar: false })],
    calls: [
      { requests: ['viewCart'], caller: 'frontend', call: { service: 'giftwrapservice', share: 0.4 } },
      { requests: ['checkout'], caller: 'checkoutservice', call: { service: 'giftwrapservice', share: 0.5 } },
    ],
  },
];

/**
 * Online Boutique with what a shop adds to it over time: its eleven services, seven features that come and go, two
 * that are offered at certain hours, and new versions of nine services. Only the eleven, and the shopping assistant's
 * name, are the project's; the further services, their times and their calls are ours.
 */
export const boutiqueGraph: GraphApplication = {
  services,
  requests: onlineBoutiqueApplication.requests,
  features,
};
