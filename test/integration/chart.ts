import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

export const chartFolder = join(import.meta.dirname, '..', '..', 'deploy', 'helm', 'coxswain');
export const release = { name: 'rel', namespace: 'cox' } as const;

/** A Kubernetes object as it is written. */
export interface ChartObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- every kind has fields of its own
  readonly [field: string]: any;
}

/** Values of the chart, as somebody writes them. */
export type ChartValues = Readonly<Record<string, unknown>>;

/** What helm answered. */
export interface HelmOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Helm with folders of its own, so that it reads and leaves nothing of this user's. */
export interface Helm {
  run(args: readonly string[], values?: ChartValues): Promise<HelmOutcome>;
  /** The objects of the chart; throws with helm's words when it refuses the values. */
  render(values: ChartValues): Promise<ChartObject[]>;
  dispose(): void;
}

/** @param kubeconfig of the cluster that it talks to; without one it can only lint and render. */
export function createHelm(program: string, kubeconfig = '/nonexistent'): Helm {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-helm-'));
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    KUBECONFIG: kubeconfig,
    ...Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((kind) => [`HELM_${kind}_HOME`, join(folder, kind)])),
  };
  let count = 0;
  const run: Helm['run'] = (args, values = {}) => {
    const file = join(folder, `values-${count++}.yaml`);
    writeFileSync(file, JSON.stringify(values));
    const takesValues = ['lint', 'template', 'upgrade', 'install'].includes(args[0]);
    const all = takesValues ? [...args, '--values', file] : args;
    return new Promise((resolve) => {
      execFile(program, all, { env, timeout: 180_000, maxBuffer: 2 ** 25 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      );
    });
  };
  return {
    run,
    async render(values) {
      const { code, stdout, stderr } = await run(
        ['template', release.name, chartFolder, '--namespace', release.namespace],
        values,
      );
      if (code !== 0) throw new Error(stderr);
      return parseAllDocuments(stdout)
        .map((document) => document.toJS() as ChartObject | null)
        .filter((object) => object !== null);
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const secret = (secretName: string): ChartValues => ({ secretName });

/** Values that people may want, by what is special about them. */
export const valueSets = {
  defaults: {},
  'everything switched on': {
    temporal: {
      address: 'prod.example.com:7233',
      namespace: 'prod',
      apiKey: secret('temporal-key'),
      tls: {
        mode: 'on',
        serverName: 'prod.example.com',
        serverCa: secret('temporal-ca'),
        client: secret('temporal-client'),
      },
    },
    artifacts: {
      kind: 's3',
      s3: {
        url: 's3://bucket/coxswain',
        endpoint: 'https://s3.example.com:9000',
        credentials: { secretName: 's3', sessionTokenKey: 'sessionToken' },
      },
    },
    wandb: { apiKey: secret('wandb'), existingClaim: 'wandb' },
    dataFolders: [{ name: 'traces', existingClaim: 'traces' }],
    algorithms: { configMap: 'algorithms', files: ['mine.mjs', 'other.js'] },
    image: { registry: 'images.example.com/team', tag: 'v1', pullSecrets: ['pull'] },
    trainerCpu: { autoscaling: { enabled: true } },
    trainerGpu: {
      autoscaling: { enabled: true, minReplicas: 1 },
      gpusPerPod: 2,
      runtimeClassName: 'nvidia',
      nodeSelector: { accelerator: 'nvidia' },
    },
    control: {
      namespaces: ['shop', 'bank'],
      rights: { pauseOwners: true, nativeFallback: true, placement: true },
      prometheus: { token: secret('prometheus'), names: { configMap: 'names' } },
      kiali: { url: 'http://kiali.istio-system.svc:20001/kiali', token: secret('kiali') },
    },
    api: {
      webhookSecret: secret('coxswain-api'),
      allowedHosts: ['coxswain.example.com'],
      allowedOrigins: ['https://ci.example.com'],
    },
    monitoring: {
      serviceMonitor: { enabled: true, labels: { prometheus: 'main' } },
      prometheusRule: { enabled: true, labels: { prometheus: 'main' } },
    },
    keda: { prometheusUrl: 'http://prometheus-operated.monitoring.svc:9090' },
  },
  'a policy in shadow, GPUs without autoscaling': {
    control: { namespaces: ['shop'], rights: { scale: false, metricsApi: false, alert: false } },
    trainerGpu: { replicas: 1, nodeSelector: { accelerator: 'nvidia' } },
    artifacts: { volume: { existingClaim: 'traces' } },
  },
  'trainings alone, nothing around them': {
    api: { replicas: 0 },
    runAsUser: null,
    networkPolicies: { enabled: false },
    podDisruptionBudgets: { enabled: false },
    temporal: { tls: { mode: 'off' } },
    fullnameOverride: 'trainings',
  },
} as const satisfies Readonly<Record<string, ChartValues>>;

export type ValueSet = keyof typeof valueSets;
