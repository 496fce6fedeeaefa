import type { Application, ServiceParameters } from '../rl/environments/online-boutique/application.ts';
import { Simulation } from '../rl/environments/online-boutique/simulation.ts';

/** A Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Labels };
  readonly [field: string]: unknown;
}

type Labels = Readonly<Record<string, string>>;

/** How an application is put into a cluster. */
export interface ManifestOptions {
  readonly namespace: string;
  /** Of the containers, which do nothing: the twin plays their work. It must have `sleep`. */
  readonly image: string;
  /** Load, requests/s, for which replicas are chosen at {@link utilisation}; null = the fewest of each service. */
  readonly replicasFor: number | null;
  /** Simulated seconds a second of the twin that will play on them: start-up delays are as much shorter. */
  readonly speed: number;
  /** Add a PodDisruptionBudget for each service that lets one pod go at a time. */
  readonly disruptionBudgets: boolean;
}

/** By it KWOK, which plays nodes where there are none, lets a pod become ready late; kubelets do not know it. */
const startDelayAnnotation = 'pod-ready.stage.kwok.x-k8s.io/delay';

/** Utilisation at which replicas are chosen for a load. */
const utilisation = 0.6;
const memory = { request: '64Mi', limit: '128Mi' };
const containerPort = 8080;

/** Namespace, Deployments, Services and, where asked for, PodDisruptionBudgets of an application, in this order. */
export function applicationManifests(application: Application, options: ManifestOptions): Manifest[] {
  const { namespace, replicasFor, disruptionBudgets } = options;
  const { services } = application;
  const counts =
    replicasFor === null
      ? services.map(({ minReplicas }) => minReplicas)
      : new Simulation(application).replicasFor(replicasFor, utilisation);
  const entries = new Set(application.requests.map(({ call }) => call.service));
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: partOf(namespace) } },
    ...services.map((service, s) => deployment(service, withinLimits(counts[s], service), options)),
    ...services.map(({ name }) => clusterService(name, namespace, entries.has(name))),
    ...(disruptionBudgets ? services.map(({ name }) => disruptionBudget(name, namespace)) : []),
  ];
}

function deployment(
  service: ServiceParameters,
  replicas: number,
  { namespace, image, speed }: ManifestOptions,
): Manifest {
  const { name, cpuRequestMillicores, cpuIdleMillicores, cpuBusyMillicores, serversPerPod } = service;
  const most = Math.ceil(Math.max(cpuRequestMillicores, cpuIdleMillicores + serversPerPod * cpuBusyMillicores));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: labelsOf(name, namespace) },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: labelsOf(name, namespace),
          annotations: { [startDelayAnnotation]: `${Math.round((1000 * service.startupSeconds) / speed)}ms` },
        },
        spec: {
          terminationGracePeriodSeconds: Math.ceil(service.terminationSeconds),
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'server',
              image,
              command: ['sleep', '2147483647'],
              ports: [{ containerPort }],
              resources: {
                requests: { cpu: `${Math.ceil(cpuRequestMillicores)}m`, memory: memory.request },
                limits: { cpu: `${most}m`, memory: memory.limit },
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  };
}

function clusterService(name: string, namespace: string, isEntry: boolean): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: labelsOf(name, namespace) },
    spec: {
      selector: { app: name },
      ports: [{ name: isEntry ? 'http' : 'grpc', port: isEntry ? 80 : containerPort, targetPort: containerPort }],
    },
  };
}

function disruptionBudget(name: string, namespace: string): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace, labels: labelsOf(name, namespace) },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: name } } },
  };
}

function labelsOf(name: string, namespace: string): Labels {
  return { app: name, 'app.kubernetes.io/name': name, ...partOf(namespace) };
}

function partOf(namespace: string): Labels {
  return { 'app.kubernetes.io/part-of': namespace };
}

function withinLimits(replicas: number, { minReplicas, maxReplicas }: ServiceParameters): number {
  return Math.min(maxReplicas, Math.max(minReplicas, replicas));
}
