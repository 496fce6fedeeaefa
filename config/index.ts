import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { CoxswainError } from '../src/contracts/errors.ts';
import { Secret } from './secret.ts';
import type {
  ApiConfig,
  ClusterConfig,
  Config,
  FolderArtifacts,
  MetricsConfig,
  MetricsServer,
  S3Artifacts,
  TemporalTls,
} from './config.ts';
import { readSetting, readTextFile } from './setting.ts';
import type { Environment, Setting, SettingValue } from './setting.ts';
import { settings } from './settings.ts';

export type {
  ApiConfig,
  ClusterConfig,
  Config,
  FolderArtifacts,
  MetricsConfig,
  MetricsServer,
  S3Artifacts,
  TemporalConfig,
  TemporalTls,
  WandbConfig,
} from './config.ts';
export { Secret } from './secret.ts';

type Values = { [Name in keyof typeof settings]: SettingValue<(typeof settings)[Name]> };

/**
 * Reads every setting once.
 * @throws CoxswainError CONFIG_INVALID with one line for each wrong variable: its value (a secret's is not shown) and
 * what is allowed.
 */
export function loadConfig(environment: Environment = process.env): Config {
  const problems: string[] = [];
  const values = readAll(environment, problems);
  const config = group(values, problems);
  if (problems.length > 0) throw new CoxswainError('CONFIG_INVALID', problems.join('\n'), { details: problems });
  return deepFreeze(config);
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function readAll(environment: Environment, problems: string[]): Values {
  const entries = Object.entries<Setting<unknown, string | null>>(settings).map(([name, declaration]) => {
    const outcome = readSetting(name, declaration, environment);
    if ('value' in outcome) return [name, outcome.value];
    problems.push(outcome.problem);
    // The fallback stands in so that the rules between settings can be checked in the same pass.
    return [name, declaration.fallback === null ? null : declaration.schema.parse(declaration.fallback)];
  });
  return Object.fromEntries(entries) as Values;
}

function group(values: Values, problems: string[]): Config {
  return {
    temporal: {
      address: values.TEMPORAL_ADDRESS,
      namespace: values.TEMPORAL_NAMESPACE,
      apiKey: values.TEMPORAL_API_KEY,
      tls: temporalTls(values, problems),
    },
    mongo: { url: values.MONGODB_URL, database: values.COXSWAIN_DATABASE },
    artifacts: artifacts(values, problems),
    dataFolders: Object.fromEntries((values.COXSWAIN_DATA_FOLDERS ?? []).map(([name, path]) => [name, resolve(path)])),
    algorithmModules: (values.COXSWAIN_ALGORITHMS ?? []).map((path) => resolve(path)),
    metrics: metrics(values, problems),
    cluster: cluster(values, problems),
    api: api(values, problems),
    client: { gitSha: values.COXSWAIN_GIT_SHA },
    wandb: {
      apiKey: values.WANDB_API_KEY,
      baseUrl: values.WANDB_BASE_URL,
      mode: values.WANDB_MODE,
      folder: resolve(join(values.WANDB_DIR, 'wandb')),
    },
    trainer: { slots: values.COXSWAIN_SLOTS ?? availableParallelism() },
    health: { port: values.COXSWAIN_HEALTH_PORT },
    log: { level: values.COXSWAIN_LOG_LEVEL },
  };
}

function temporalTls(values: Values, problems: string[]): TemporalTls | null {
  const pem = (name: keyof Values & `TEMPORAL_TLS_${string}_PATH`): string | null => {
    const path = values[name];
    if (path === null) return null;
    const outcome = readTextFile(name, path, settings[name].allowed);
    if ('value' in outcome) return outcome.value;
    problems.push(outcome.problem);
    return null;
  };
  const paths = [values.TEMPORAL_TLS_CLIENT_CERT_PATH, values.TEMPORAL_TLS_CLIENT_KEY_PATH];
  if (paths.filter((path) => path !== null).length === 1)
    problems.push('TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH: found only one; set both or none');
  const named = [...paths, values.TEMPORAL_TLS_SERVER_CA_CERT_PATH, values.TEMPORAL_TLS_SERVER_NAME].some(Boolean);
  if (values.TEMPORAL_TLS === false && named)
    problems.push(
      'TEMPORAL_TLS: found "false" together with TLS files or a server name; allowed: "true", or unset them',
    );
  if (!(values.TEMPORAL_TLS ?? (named || values.TEMPORAL_API_KEY !== null))) return null;
  const certPem = pem('TEMPORAL_TLS_CLIENT_CERT_PATH');
  const keyPem = pem('TEMPORAL_TLS_CLIENT_KEY_PATH');
  return {
    serverName: values.TEMPORAL_TLS_SERVER_NAME,
    serverCaPem: pem('TEMPORAL_TLS_SERVER_CA_CERT_PATH'),
    client: certPem !== null && keyPem !== null ? { certPem, keyPem: new Secret(keyPem) } : null,
  };
}

function artifacts(values: Values, problems: string[]): FolderArtifacts | S3Artifacts {
  const place = values.COXSWAIN_ARTIFACTS;
  if (!place.startsWith('s3://')) return { kind: 'folder', path: resolve(place) };
  const [bucket, ...rest] = place.slice('s3://'.length).split('/');
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const)
    if (values[name] === null) problems.push(`${name}: found nothing; needed because COXSWAIN_ARTIFACTS is ${place}`);
  return {
    kind: 's3',
    bucket,
    prefix: rest.filter((part) => part !== '').join('/'),
    region: values.AWS_REGION,
    endpoint: values.AWS_ENDPOINT_URL_S3,
    accessKeyId: values.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: values.AWS_SECRET_ACCESS_KEY ?? new Secret(''),
    sessionToken: values.AWS_SESSION_TOKEN,
  };
}

function metrics(values: Values, problems: string[]): MetricsConfig {
  const server = (name: 'PROMETHEUS' | 'KIALI'): MetricsServer | null => {
    const [url, token] = [values[`COXSWAIN_${name}_URL`], values[`COXSWAIN_${name}_TOKEN`]];
    if (url === null && token !== null)
      problems.push(`COXSWAIN_${name}_URL: found nothing; needed because COXSWAIN_${name}_TOKEN is set`);
    return url === null ? null : { url, token };
  };
  const names = values.COXSWAIN_METRICS_NAMES;
  return {
    prometheus: server('PROMETHEUS'),
    kiali: server('KIALI'),
    namesFile: names === null ? null : resolve(names),
  };
}

function cluster(values: Values, problems: string[]): ClusterConfig {
  const { COXSWAIN_KUBECONFIG: kubeconfig, COXSWAIN_KUBE_CONTEXT: context } = values;
  if (kubeconfig === null && context !== null)
    problems.push(`COXSWAIN_KUBE_CONTEXT: found "${context}" without COXSWAIN_KUBECONFIG; set both or none`);
  return {
    kubeconfig: kubeconfig === null ? null : resolve(kubeconfig),
    context,
    namespaces: values.COXSWAIN_CLUSTER_NAMESPACES ?? [],
  };
}

function api(values: Values, problems: string[]): ApiConfig {
  const host = values.COXSWAIN_API_HOST;
  if (!isLoopback(host) && values.COXSWAIN_API_TOKEN === null)
    problems.push(`COXSWAIN_API_HOST: found "${host}"; allowed: ${settings.COXSWAIN_API_HOST.allowed}`);
  return {
    host,
    port: values.COXSWAIN_API_PORT,
    token: values.COXSWAIN_API_TOKEN,
    webhookSecret: values.COXSWAIN_WEBHOOK_SECRET,
    allowedHosts: values.COXSWAIN_ALLOWED_HOSTS ?? [],
    allowedOrigins: values.COXSWAIN_ALLOWED_ORIGINS ?? [],
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
