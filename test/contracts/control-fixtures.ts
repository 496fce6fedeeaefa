import type {
  ControlDecision,
  ControlState,
  DeploymentRecord,
  DeploymentSpec,
  StepSummary,
} from '../../src/contracts/control.ts';
import type { PlacementDecision } from '../../src/contracts/placement.ts';
import { moment } from './store-fixtures.ts';

/** The services of Online Boutique. */
export const boutiqueServices = [
  'adservice',
  'cartservice',
  'checkoutservice',
  'currencyservice',
  'emailservice',
  'frontend',
  'paymentservice',
  'productcatalogservice',
  'recommendationservice',
  'redis-cart',
  'shippingservice',
] as const;

/** A complete DeploymentSpec. */
export function someDeploymentSpec(name: string, mode: DeploymentSpec['mode'] = 'shadow'): DeploymentSpec {
  return {
    version: 1,
    name,
    description: 'A deployment of the store suite.',
    model: { name: 'online-boutique', version: 'champion' },
    target: { namespace: 'shop', workloads: { 'redis.cart': 'cart-cache' }, entry: null },
    mode,
    intervalSeconds: 15,
    metrics: { dialect: 'istio', windowSeconds: 60 },
    guard: {
      limits: {
        minReplicas: null,
        maxReplicas: null,
        maxStepUp: 7,
        maxStepDown: 2,
        coolDownUpSeconds: 0,
        coolDownDownSeconds: 60,
      },
      services: { frontend: { minReplicas: 2 } },
      podHours: { budget: 5000, windowHours: 24 },
      frozen: [{ days: [0, 6], fromMinute: 1320, toMinute: 360 }],
      maxObservationAgeSteps: 2,
    },
    owners: 'refuse',
    fallback: {
      controller: 'own',
      hpaTargetPercent: null,
      errorBudget: { violationShare: 0.05, windowSteps: 20 },
    },
    placement: { nodes: { frontend: ['node-1'] }, leaveCordoned: true, movesPerStep: 1, coolDownSeconds: 60 },
  };
}

/** A pod that is to leave a cordoned node. */
export const somePlacement: PlacementDecision = {
  observation: {
    at: moment(0).toISOString(),
    closedNodes: [{ node: 'node-2', why: 'cordoned' }],
    workloads: [
      {
        workload: 'shop/frontend',
        kind: 'Deployment',
        replicas: 3,
        readyPods: 3,
        rollingOut: false,
        disruptionsAllowed: 1,
        wantedNodes: ['node-1'],
        affinityAsWanted: true,
        openNodes: 1,
        misplaced: [{ pod: 'frontend-a', uid: 'u', node: 'node-2' }],
      },
    ],
  },
  guarded: [
    {
      proposal: { kind: 'move', workload: 'shop/frontend', pod: 'frontend-a', uid: 'u', node: 'node-2' },
      permitted: true,
      reason: null,
      detail: '',
    },
  ],
  finished: [],
  stuck: [],
};

/** A deployment that steers these workloads of the namespace `shop`. */
export function someDeployment(
  name: string,
  workloads: readonly string[] = boutiqueServices,
  seconds = 0,
): DeploymentRecord {
  return {
    name,
    spec: someDeploymentSpec(name),
    status: 'running',
    model: { name: 'online-boutique', version: 3 },
    policy: { sha256: 'b'.repeat(64), bytes: 45_321 },
    environment: { name: 'online-boutique', parameters: { sloSeconds: 0.5, 'a.b': [[1], []] } },
    twin: null,
    hpaTargetPercent: 60,
    services: workloads.map((service) => ({
      service,
      workload: `shop/${service}`,
      kind: 'Deployment',
      limits: {
        minReplicas: 1,
        maxReplicas: 10,
        maxStepUp: 7,
        maxStepDown: 2,
        coolDownUpSeconds: 0,
        coolDownDownSeconds: 60,
      },
    })),
    pausedOwners: [],
    openedAt: moment(seconds),
    closedAt: null,
    failure: null,
  };
}

/** What came of a step. */
export function someSummary(deployment: string, step: number): StepSummary {
  return {
    step,
    at: moment(15 * step).toISOString(),
    actor: 'policy',
    changed: 1,
    guarded: 0,
    state: someState(deployment, step + 1),
    notes: [],
  };
}

/** The state of a loop whose policy acts, before `step`. */
export function someState(deployment: string, step: number): ControlState {
  return {
    deployment,
    mode: 'live',
    paused: false,
    step,
    fallback: null,
    stepsWithoutObservation: 0,
    stepsWithoutPolicy: 0,
    nativeAutoscalers: false,
    budget: Array.from({ length: 20 }, (_, i) => ({ requests: 3000 + i / 7, violations: i / 3 })),
  };
}

/** A decision of 11 services as large as real ones: full windows, numbers with all of their digits. */
export function someDecision(deployment: string, step: number): ControlDecision {
  const number = (i: number): number => ((step + 1) * (i + 1) * 1000) / 7 + Math.sin(step + i);
  const workloads = boutiqueServices.map((service) => `shop/${service}`);
  const at = moment(15 * step);
  return {
    deployment,
    step,
    at,
    mode: 'live',
    actor: 'policy',
    state: someState(deployment, step),
    next: someState(deployment, step + 1),
    observation: {
      metrics: {
        endSeconds: at.getTime() / 1000 - 15,
        stepSeconds: 15,
        requestsPerSecond: Array.from({ length: 8 }, (_, i) => number(i)),
        p95Seconds: number(1),
        violationShare: 0.1 + 0.2,
        services: workloads.map((_, i) => ({
          cpuMillicores: number(i),
          memoryBytes: 100_000_000 + i,
          callsPerSecond: number(i + 1),
          errorRate: -0,
          meanSeconds: number(i + 2) / 1e4,
          ownSeconds: number(i + 3) / 1e5,
          p50Seconds: number(i + 4) / 1e4,
          p95Seconds: number(i + 5) / 1e4,
          p99Seconds: number(i + 6) / 1e4,
          receivedBytesPerSecond: number(i + 7),
          sentBytesPerSecond: i === 9 ? null : number(i + 8),
        })),
        missing: [],
      },
      workloads: workloads.map((_, i) =>
        i === 9
          ? null
          : {
              replicas: 3,
              readyPods: 3,
              unreadyPods: 0,
              startingPods: 0,
              cpuRequestMillicores: 100 + 10 * i,
              cpuMillicores: number(i),
            },
      ),
    },
    problems: ['shop/redis-cart is not there'],
    memory: {
      hpa: workloads.map(() => ({
        recommendations: Array.from({ length: 20 }, (_, i) => ({
          atSeconds: at.getTime() / 1000 - 15 * i,
          value: 3 + (i % 2),
        })),
        changes: [{ atSeconds: at.getTime() / 1000, value: 1 }],
      })),
      policy: [0.1, -0, 1e-45],
      seen: workloads.map(() => ({ replicas: 3, changedAt: at.toISOString() })),
      podHours: Array.from({ length: 25 }, (_, i) => ({ hour: 490_000 + i, used: number(i) / 1e4 })),
    },
    policy: {
      sha256: 'b'.repeat(64),
      observation: Buffer.from(Float32Array.from({ length: 150 }, (_, i) => number(i)).buffer).toString('base64'),
      mask: Buffer.alloc(77, 1).toString('base64'),
      action: workloads.map((_, i) => i % 7),
      replicas: workloads.map((_, i) => 1 + (i % 5)),
      milliseconds: 0.31,
    },
    hpaReplicas: workloads.map((_, i) => 1 + (i % 4)),
    proposals: workloads.map((workload, i) => ({ workload, replicas: 1 + (i % 5) })),
    guardContext: {
      at: at.toISOString(),
      stepSeconds: 15,
      observationAgeSteps: 0,
      workloads: workloads.map((workload) => ({
        workload,
        replicas: 3,
        changedAt: at.toISOString(),
        disruptionsAllowed: null,
        owner: null,
      })),
      podsLeft: { shop: 40 },
      podHoursUsed: number(5),
    },
    guarded: workloads.map((workload, i) => ({
      workload,
      before: i === 9 ? null : 3,
      proposed: 1 + (i % 5),
      permitted: i === 9 ? null : 3,
      reasons: i === 9 ? [{ reason: 'unknown-workload', detail: 'it is not there' }] : [],
    })),
    result: null,
    summary: null,
  };
}
