import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who may enter a local control plane with a token of their own. */
export const clusterUsers = ['admin', 'limited', 'control-plane'] as const;

/**
 * `admin` may do everything. `limited` may do only what everybody who has a token may, until a test grants it more.
 * `control-plane` is the scheduler, the controllers and KWOK; the audit log leaves it out.
 */
export type ClusterUser = (typeof clusterUsers)[number];

/** The keys and tokens of one control plane, and the files that hold them. */
export interface ClusterAccess {
  readonly tokens: Readonly<Record<ClusterUser, string>>;
  /** Private key that signs the tokens of service accounts; PEM. */
  readonly privateKey: string;
  readonly privateKeyFile: string;
  readonly publicKeyFile: string;
  readonly tokensFile: string;
  readonly auditPolicyFile: string;
  readonly auditLog: string;
  readonly certificateFolder: string;
}

/** Who says so in the tokens of service accounts. */
export const tokenIssuer = 'https://kubernetes.default.svc';

const allRights = 'system:masters';

/** Makes the keys and tokens of one control plane, which die with its folder. */
export function writeClusterAccess(folder: string): ClusterAccess {
  const access = { ...filesIn(folder), ...newSecrets() };
  mkdirSync(access.certificateFolder, { recursive: true });
  writeFileSync(access.privateKeyFile, access.privateKey, { mode: 0o600 });
  writeFileSync(access.publicKeyFile, access.publicKey);
  writeFileSync(access.tokensFile, clusterUsers.map((user) => tokenLine(user, access.tokens[user])).join(''), {
    mode: 0o600,
  });
  writeFileSync(access.auditPolicyFile, JSON.stringify(auditPolicy));
  return access;
}

function filesIn(folder: string) {
  return {
    privateKeyFile: join(folder, 'service-account.key'),
    publicKeyFile: join(folder, 'service-account.pub'),
    tokensFile: join(folder, 'tokens.csv'),
    auditPolicyFile: join(folder, 'audit-policy.json'),
    auditLog: join(folder, 'logs', 'audit.log'),
    certificateFolder: join(folder, 'certificates'),
  };
}

function newSecrets() {
  const tokens = Object.fromEntries(clusterUsers.map((user) => [user, randomBytes(24).toString('hex')]));
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return { ...keys, tokens: tokens as Record<ClusterUser, string> };
}

/** A line of the API server's token file: token, name, id and, where there are, groups. */
function tokenLine(user: ClusterUser, token: string): string {
  return [token, user, user, ...(user === 'limited' ? [] : [`"${allRights}"`])].join(',') + '\n';
}

/** Who asked for what and whether it was permitted, without bodies; one line a request when it has been answered. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', users: ['control-plane', 'system:apiserver'] }, { level: 'Metadata' }],
};

/** PEM of the certificate that the API server made for itself; whoever trusts it trusts this server alone. */
export function readCertificateAuthority({ certificateFolder }: ClusterAccess): string {
  return readFileSync(join(certificateFolder, 'apiserver.crt'), 'utf8');
}

/** Writes a kubeconfig for whoever holds the token, readable by this user alone. */
export function writeKubeconfig(file: string, server: string, token: string, certificateAuthority: string): void {
  const cluster = { server, 'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'local', context: { cluster: 'local', user: 'user' } }],
    'current-context': 'local',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
}

/** A service account as the API server knows it. */
export interface ServiceAccountIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The API server accepts a token for so long after it has expired. */
const leewaySeconds = 60;

/**
 * A service account's token as the API server itself would sign it, but of any length of life: the server's own last ten
 * minutes at least. It is refused with 401 after `livesSeconds`, or up to 10 seconds later where it was used before,
 * because the server remembers for so long that a token was good.
 */
export function signServiceAccountToken(
  { privateKey }: ClusterAccess,
  { namespace, name, uid }: ServiceAccountIdentity,
  livesSeconds: number,
): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: tokenIssuer,
    aud: [tokenIssuer],
    sub: `system:serviceaccount:${namespace}:${name}`,
    iat: now,
    nbf: now,
    exp: now + livesSeconds - leewaySeconds,
    jti: randomBytes(16).toString('hex'),
    'kubernetes.io': { namespace, serviceaccount: { name, uid } },
  };
  const content = [{ alg: 'RS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${content}.${createSign('RSA-SHA256').update(content).sign(privateKey, 'base64url')}`;
}
