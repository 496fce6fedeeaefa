import { z } from 'zod';
import { secretSetting, setting } from './setting.ts';

const anyText = z.string().min(1);
const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
const truth = z.enum(['true', 'false']).transform((text) => text === 'true');
const httpUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => !new URL(text).username && !new URL(text).password)
  .transform((text) => text.replace(/\/+$/, ''));
const commaList = (item: RegExp) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.string().regex(item)));
const dataFolders = z
  .string()
  .transform((text) => text.split(',').map((pair) => /^\s*([a-z][a-z0-9-]{0,62})=(.+?)\s*$/.exec(pair)))
  .refine((pairs) => pairs.every((pair) => pair !== null))
  .transform((pairs) => pairs.flatMap((pair) => (pair ? [[pair[1], pair[2]] as const] : [])))
  .refine((pairs) => new Set(pairs.map(([name]) => name)).size === pairs.length);

const fileHelp = 'Path of a PEM file';

/** Every variable that Coxswain reads, in the order of docs/configuration.md. */
export const settings = {
  TEMPORAL_ADDRESS: setting({
    schema: z.string().regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5}$/),
    fallback: '127.0.0.1:7233',
    allowed: 'host:port without a scheme',
    help: 'Address of the Temporal server.',
  }),
  TEMPORAL_NAMESPACE: setting({
    schema: anyText,
    fallback: 'default',
    allowed: 'the name of a namespace',
    help: 'Namespace in which the runs live.',
  }),
  TEMPORAL_API_KEY: secretSetting('API key of Temporal Cloud or of a server that asks for one.'),
  TEMPORAL_TLS: setting({
    schema: truth,
    fallback: null,
    whenUnset: '`true` when an API key or a TLS file is set, else `false`',
    allowed: '`true` or `false`',
    help: 'Whether the connection to the Temporal server is encrypted.',
  }),
  TEMPORAL_TLS_CLIENT_CERT_PATH: setting({
    schema: anyText,
    fallback: null,
    allowed: 'a readable file, together with TEMPORAL_TLS_CLIENT_KEY_PATH',
    help: `${fileHelp} with the certificate that this client shows (mTLS).`,
  }),
  TEMPORAL_TLS_CLIENT_KEY_PATH: setting({
    schema: anyText,
    fallback: null,
    allowed: 'a readable file, together with TEMPORAL_TLS_CLIENT_CERT_PATH',
    help: `${fileHelp} with the key of that certificate.`,
  }),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: setting({
    schema: anyText,
    fallback: null,
    allowed: 'a readable file',
    help: `${fileHelp} with the authority that signed the server's certificate.`,
    whenUnset: "the system's authorities",
  }),
  TEMPORAL_TLS_SERVER_NAME: setting({
    schema: anyText,
    fallback: null,
    allowed: 'a host name',
    help: "Name that the server's certificate must carry.",
    whenUnset: 'the host of TEMPORAL_ADDRESS',
  }),
  MONGODB_URL: setting({
    ...secretSetting('Connection string of MongoDB; counts as a secret because it may carry a password.'),
    schema: secretSetting('').schema.refine((secret) => /^mongodb(\+srv)?:\/\/./.test(secret.reveal())),
    fallback: 'mongodb://127.0.0.1:27017',
    allowed: 'mongodb://… or mongodb+srv://…',
  }),
  COXSWAIN_DATABASE: setting({
    schema: z.string().regex(/^[A-Za-z0-9_-]{1,38}$/),
    fallback: 'coxswain',
    allowed: '1 to 38 letters, digits, dashes and underscores',
    help: 'Name of the database.',
  }),
  COXSWAIN_ARTIFACTS: setting({
    schema: z
      .string()
      .regex(/^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/.*)?|(?![A-Za-z][A-Za-z0-9+.-]*:\/\/).+)$/),
    fallback: '.coxswain/artifacts',
    allowed: 'a folder, or s3://bucket or s3://bucket/prefix',
    help: 'Where recordings, checkpoints and policies are kept by content address. Every worker needs the same.',
  }),
  AWS_ACCESS_KEY_ID: setting({
    schema: anyText,
    fallback: null,
    allowed: 'any text; needed when COXSWAIN_ARTIFACTS is an s3:// URL',
    help: 'Key id for S3.',
  }),
  AWS_SECRET_ACCESS_KEY: secretSetting('Key for S3; needed when COXSWAIN_ARTIFACTS is an s3:// URL.'),
  AWS_SESSION_TOKEN: secretSetting('Session token that goes with temporary S3 credentials.'),
  AWS_REGION: setting({
    schema: z.string().regex(/^[a-z0-9-]+$/),
    fallback: 'us-east-1',
    allowed: 'lower case letters, digits and dashes',
    help: 'Region of the bucket.',
  }),
  AWS_ENDPOINT_URL_S3: setting({
    schema: httpUrl,
    fallback: null,
    allowed: 'an http:// or https:// URL without user and password',
    help: 'Address of an S3-compatible server. Buckets are then put into the path, not into the host name.',
    whenUnset: "Amazon's server of the region",
  }),
  COXSWAIN_DATA_FOLDERS: setting({
    schema: dataFolders,
    fallback: null,
    allowed: 'name=path pairs separated by commas; a name has lower case letters, digits and dashes and occurs once',
    help: 'The only folders that a RunSpec may read files from, by the names that it uses for them.',
    whenUnset: 'none',
  }),
  COXSWAIN_PROMETHEUS_URL: setting({
    schema: httpUrl,
    fallback: null,
    allowed: 'an http:// or https:// URL without user and password',
    help: 'Address of Prometheus, or of a server that speaks its HTTP API, without `/api/v1`. Live recordings and control loops need it.',
    whenUnset: 'live clusters cannot be observed',
  }),
  COXSWAIN_PROMETHEUS_TOKEN: secretSetting(
    'Bearer token for Prometheus. Its file is read again at each request, since tokens are renewed.',
    { whenUnset: 'none is sent' },
  ),
  COXSWAIN_METRICS_NAMES: setting({
    schema: anyText,
    fallback: null,
    allowed: 'a readable JSON file with the fields of docs/guides/metrics-sources.md',
    help: 'Path of a file with other names of the series in Prometheus.',
    whenUnset: 'the names that Istio, OpenTelemetry, cAdvisor and kube-state-metrics give',
  }),
  COXSWAIN_KIALI_URL: setting({
    schema: httpUrl,
    fallback: null,
    allowed: 'an http:// or https:// URL without user and password',
    help: 'Address of Kiali, without `/api`. Recordings of live clusters list the calls that it shows and they lack.',
    whenUnset: 'Kiali is not asked',
  }),
  COXSWAIN_KIALI_TOKEN: secretSetting('Bearer token for Kiali. Its file is read again at each request.', {
    whenUnset: 'none is sent',
  }),
  COXSWAIN_ALGORITHMS: setting({
    schema: commaList(/^.*\.(ts|mts|js|mjs)$/),
    fallback: null,
    allowed: 'paths of .mjs, .js or .ts files separated by commas',
    help: 'Modules with algorithms of your own, which a RunSpec may then name. Set it for the orchestrator and the trainers alike.',
    whenUnset: 'none',
  }),
  COXSWAIN_KUBECONFIG: setting({
    schema: anyText,
    fallback: null,
    allowed: 'a readable kubeconfig',
    help: 'Kubeconfig of the cluster that deployments act on. It is read again when its credentials are no longer accepted.',
    whenUnset: "the service account of the worker's pod; without one there is no access to a cluster",
  }),
  COXSWAIN_KUBE_CONTEXT: setting({
    schema: anyText,
    fallback: null,
    allowed: 'the name of a context of the kubeconfig',
    help: 'Context of the kubeconfig.',
    whenUnset: 'its current context',
  }),
  COXSWAIN_CLUSTER_NAMESPACES: setting({
    schema: commaList(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
    fallback: null,
    allowed: 'names of namespaces separated by commas',
    help: 'The only namespaces of the cluster that may be read or acted in, whatever the credentials would permit.',
    whenUnset: 'none',
  }),
  COXSWAIN_SLOTS: setting({
    schema: wholeNumber(1, 256),
    fallback: null,
    allowed: 'a whole number from 1 to 256',
    help: 'Trainings that a CPU worker runs side by side, each in a process of its own.',
    whenUnset: 'the number of cores',
  }),
  COXSWAIN_API_HOST: setting({
    schema: z.string().regex(/^[A-Za-z0-9.:_-]+$/),
    fallback: '127.0.0.1',
    allowed: 'a host name or IP address; one that is not loopback needs COXSWAIN_API_TOKEN',
    help: 'Address that the API listens on.',
  }),
  COXSWAIN_API_PORT: setting({
    schema: wholeNumber(0, 65_535),
    fallback: '8230',
    allowed: 'a whole number from 0 to 65535; 0 takes any free port',
    help: 'Port that the API listens on.',
  }),
  COXSWAIN_API_TOKEN: secretSetting('Bearer token that every request must carry.', {
    minLength: 16,
    whenUnset: 'no token is asked for; possible on loopback only',
  }),
  COXSWAIN_WEBHOOK_SECRET: secretSetting('Key of the HMAC that CI signs its webhook requests with.', {
    minLength: 16,
    whenUnset: 'the webhook is off',
  }),
  COXSWAIN_ALLOWED_HOSTS: setting({
    schema: commaList(/^[A-Za-z0-9._-]+(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/),
    fallback: null,
    allowed: 'host or host:port, separated by commas',
    help: 'Further values of the Host header that the API answers to.',
    whenUnset: 'the address that it listens on, and localhost',
  }),
  COXSWAIN_ALLOWED_ORIGINS: setting({
    schema: commaList(/^https?:\/\/[^\s/,]+$/),
    fallback: null,
    allowed: 'origins such as https://ci.example.com, separated by commas',
    help: 'Further origins whose pages may call the API.',
    whenUnset: 'its own',
  }),
  COXSWAIN_GIT_SHA: setting({
    schema: z.string().regex(/^[0-9a-f]{7,64}$/),
    fallback: null,
    allowed: '7 to 64 lower case hexadecimal digits',
    help: 'Commit that the coxswain command writes into a RunSpec that names none.',
    whenUnset: 'none',
  }),
  WANDB_API_KEY: secretSetting('API key of W&B; setting it switches the mirror on.'),
  WANDB_BASE_URL: setting({
    schema: httpUrl,
    fallback: 'https://api.wandb.ai',
    allowed: 'an http:// or https:// URL without user and password',
    help: 'Address of the W&B server. Receives the API key, so a RunSpec cannot name it.',
  }),
  WANDB_MODE: setting({
    schema: z.enum(['online', 'offline', 'disabled']),
    fallback: 'online',
    allowed: '`online`, `offline` (write .wandb files for `wandb sync`) or `disabled`',
    help: 'How runs are mirrored to W&B.',
  }),
  WANDB_DIR: setting({
    schema: anyText,
    fallback: '.coxswain',
    allowed: 'a folder',
    help: 'Folder in which offline runs are written, under `wandb/`.',
  }),
  COXSWAIN_HEALTH_PORT: setting({
    schema: wholeNumber(1, 65_535),
    fallback: null,
    allowed: 'a whole number from 1 to 65535',
    help: 'Port on which a worker answers /livez, /readyz and /metrics, on every address of the machine and without a token: they tell nothing of runs. The API has these under its own port.',
    whenUnset: 'a worker listens on no port',
  }),
  COXSWAIN_LOG_LEVEL: setting({
    schema: z.enum(['debug', 'info', 'warn', 'error']),
    fallback: 'info',
    allowed: '`debug`, `info`, `warn` or `error`',
    help: 'Least grave message that is logged.',
  }),
} as const;
