import type { Secret } from './secret.ts';

/** Everything that comes from the environment of a process, checked and frozen. Printed, it shows no secret. */
export interface Config {
  readonly temporal: TemporalConfig;
  readonly mongo: { readonly url: Secret; readonly database: string };
  readonly artifacts: FolderArtifacts | S3Artifacts;
  /** Absolute paths of the folders that a RunSpec may read from, by name. */
  readonly dataFolders: Readonly<Record<string, string>>;
  /** Absolute paths of modules with algorithms beside our own. */
  readonly algorithmModules: readonly string[];
  readonly metrics: MetricsConfig;
  readonly cluster: ClusterConfig;
  readonly api: ApiConfig;
  /** The commit that the coxswain command notes in a spec that names none. */
  readonly client: { readonly gitSha: string | null };
  readonly wandb: WandbConfig;
  readonly trainer: { readonly slots: number };
  /** Where a worker tells how it is; null = nowhere. */
  readonly health: { readonly port: number | null };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
}

export interface TemporalConfig {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey: Secret | null;
  /** null = no encryption. */
  readonly tls: TemporalTls | null;
}

/** Contents of the TLS files, PEM. */
export interface TemporalTls {
  readonly serverName: string | null;
  readonly serverCaPem: string | null;
  readonly client: { readonly certPem: string; readonly keyPem: Secret } | null;
}

export interface FolderArtifacts {
  readonly kind: 'folder';
  /** Absolute. */
  readonly path: string;
}

export interface S3Artifacts {
  readonly kind: 's3';
  readonly bucket: string;
  /** Without slashes at its ends; empty = none. */
  readonly prefix: string;
  readonly region: string;
  /** null = Amazon's server of the region; otherwise buckets go into the path. */
  readonly endpoint: string | null;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret | null;
}

/** Where live services are measured. */
export interface MetricsConfig {
  readonly prometheus: MetricsServer | null;
  readonly kiali: MetricsServer | null;
  /** Absolute path of a file with other names of series; null = the standard ones. */
  readonly namesFile: string | null;
}

export interface MetricsServer {
  readonly url: string;
  readonly token: Secret | null;
}

export interface ClusterConfig {
  /** Absolute; null = the service account of the pod. */
  readonly kubeconfig: string | null;
  /** null = the current one. */
  readonly context: string | null;
  /** The only ones that may be read or acted in. */
  readonly namespaces: readonly string[];
}

export interface ApiConfig {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Always set when `host` is not loopback. */
  readonly token: Secret | null;
  readonly webhookSecret: Secret | null;
  /** Beyond the address that it listens on. */
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

export interface WandbConfig {
  readonly apiKey: Secret | null;
  readonly baseUrl: string;
  readonly mode: 'online' | 'offline' | 'disabled';
  /** Absolute folder of offline runs. */
  readonly folder: string;
}
