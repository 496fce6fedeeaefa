import { existsSync, readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { CoxswainError } from '../../contracts/errors.ts';

/** How to reach a cluster, and what of it. Comes from the configuration of the worker, never from a spec. */
export interface ClusterAccess {
  /** Path of a kubeconfig; null = the service account of the pod that this runs in. */
  readonly kubeconfig: string | null;
  /** Context of the kubeconfig; null = its current one. */
  readonly context: string | null;
  /** The only namespaces that may be read or acted in. */
  readonly namespaces: readonly string[];
  /** Folder that stands before the paths of a pod's service account. Default none. */
  readonly serviceAccountRoot?: string;
}

/** What a request needs to be let in. Holds secrets: it is made for each request and never printed. */
export interface Connection {
  /** http or https; a path prefix is kept. */
  readonly server: string;
  readonly agent: HttpAgent;
  readonly headers: Readonly<Record<string, string>>;
  /** User and password. */
  readonly auth: string | undefined;
  /** What they were read into. */
  readonly source: object;
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Sockets that have not been used for this long are closed, before a load balancer does it. */
const idleSocketMs = 30_000;
const maxSockets = 8;

/**
 * Credentials of a kubeconfig or of a pod's service account. Tokens that files or plug-ins renew are renewed; whatever
 * else changes in the files is read after {@link forget}.
 */
export class ClusterCredentials {
  private readonly access: ClusterAccess;
  private config: KubeConfig | null = null;
  /** Many requests begin at once: they share what a plug-in is asked. */
  private pending: Promise<Connection> | null = null;
  private agent: { readonly key: string; readonly agent: HttpAgent } | null = null;

  constructor(access: ClusterAccess) {
    this.access = access;
  }

  /** @throws CoxswainError CONFIG_INVALID when they cannot be read; CLUSTER_REFUSED when a plug-in gives none. */
  connection(): Promise<Connection> {
    if (this.pending !== null) return this.pending;
    const pending = this.connect().finally(() => {
      if (this.pending === pending) this.pending = null;
    });
    return (this.pending = pending);
  }

  private async connect(): Promise<Connection> {
    const config = (this.config ??= loadConfig(this.access));
    const cluster = config.getCurrentCluster()!;
    const options = await optionsOf(config);
    return {
      server: cluster.server.replace(/\/+$/, ''),
      agent: cluster.proxyUrl ? (options.agent as HttpAgent) : this.agentFor(cluster.server, options),
      headers: headersOf(options),
      auth: options.auth ?? undefined,
      source: config,
    };
  }

  /** Reads the files again, and asks plug-ins again, before the next request, unless that was done since `connection`. */
  forget(connection: Connection | null): void {
    if (connection?.source !== this.config) return;
    this.config = null;
    this.pending = null;
  }

  /** One agent as long as certificates and keys stay the same, so that its connections are used again. */
  private agentFor(server: string, { ca, cert, key, servername, rejectUnauthorized }: RequestOptions): HttpAgent {
    const tls = { ca, cert, key, servername, ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }) };
    const identity = JSON.stringify([server, String(ca), String(cert), String(key), servername, rejectUnauthorized]);
    if (this.agent?.key !== identity) {
      const options = { keepAlive: true, timeout: idleSocketMs, maxSockets };
      const agent = server.startsWith('http:') ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tls });
      this.agent = { key: identity, agent };
    }
    return this.agent.agent;
  }
}

function loadConfig({ kubeconfig, context, serviceAccountRoot = '' }: ClusterAccess): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig !== null) loadFile(config, kubeconfig);
  else loadServiceAccount(config, serviceAccountRoot);
  if (context !== null) config.setCurrentContext(context);
  const current = config.getCurrentContext();
  if (config.getCurrentCluster() === null || config.getCurrentUser() === null) {
    const known = config.getContexts().map(({ name }) => name);
    const found = context === null ? `its current context is ${JSON.stringify(current ?? null)}` : `found ${context}`;
    const message = `COXSWAIN_KUBE_CONTEXT: ${found}; allowed: a context with cluster and user of the kubeconfig, which has ${known.join(', ') || 'none'}`;
    throw new CoxswainError('CONFIG_INVALID', message);
  }
  return config;
}

/** The parser's own words could repeat a part of the file, a token among it. */
function loadFile(config: KubeConfig, path: string): void {
  try {
    config.loadFromFile(path);
    addTokenFiles(config, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : null;
    const reason = code === null ? 'is not a kubeconfig' : `cannot be read (${code})`;
    throw new CoxswainError('CONFIG_INVALID', `COXSWAIN_KUBECONFIG: ${path} ${reason}; allowed: a readable kubeconfig`);
  }
}

/** The library overlooks `tokenFile`, which kubectl knows: a file that is read again when it may have been renewed. */
function addTokenFiles(config: KubeConfig, path: string): void {
  const file = parse(readFileSync(path, 'utf8')) as { users?: { name: string; user?: { tokenFile?: string } }[] };
  const files = new Map(file.users?.map(({ name, user }) => [name, user?.tokenFile]));
  config.users = config.users.map((user) => {
    const tokenFile = files.get(user.name);
    if (!tokenFile || user.token) return user;
    const authProvider = { name: 'tokenFile', config: { tokenFile: resolve(dirname(path), tokenFile) } };
    return { ...user, authProvider };
  });
}

function loadServiceAccount(config: KubeConfig, root: string): void {
  if (!existsSync(`${root}${serviceAccountFolder}/token`)) {
    const message =
      'COXSWAIN_KUBECONFIG: found nothing, and this is no pod with a service account; allowed: a readable kubeconfig';
    throw new CoxswainError('CONFIG_INVALID', message);
  }
  config.loadFromCluster(root);
}

/** TLS material and headers. What a plug-in writes when it fails is not repeated: it may hold secrets. */
async function optionsOf(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    const message = `The credentials of user ${config.getCurrentUser()?.name} of the kubeconfig cannot be had${code}: check its files, its credential plug-in and its server's address.`;
    throw new CoxswainError('CLUSTER_REFUSED', message);
  }
  return options;
}

/** A token that was read from a file may end with a line break, which no header may hold. */
function headersOf({ headers }: RequestOptions): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]));
}
