import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { configurationPage } from '../../../config/configuration-page.ts';
import { isLoopback, loadConfig } from '../../../config/index.ts';
import { settings } from '../../../config/settings.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';

const token = 'a-token-of-24-characters';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    assert.ok(error instanceof CoxswainError);
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.message.split('\n');
  }
  return [];
}

const folder = mkdtempSync(join(tmpdir(), 'coxswain-config-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const path = join(mkdtempSync(join(folder, 'of-')), 'file');
  writeFileSync(path, text);
  return path;
}

describe('loadConfig', () => {
  test('needs no variable: every setting has a default', () => {
    const config = loadConfig({});
    assert.equal(config.temporal.address, '127.0.0.1:7233');
    assert.equal(config.temporal.tls, null);
    assert.equal(config.mongo.url.reveal(), 'mongodb://127.0.0.1:27017');
    assert.deepEqual(config.artifacts, { kind: 'folder', path: resolve('.coxswain/artifacts') });
    assert.deepEqual(config.dataFolders, {});
    assert.equal(config.api.host, '127.0.0.1');
    assert.ok(config.trainer.slots >= 1);
  });

  test('treats an empty variable as unset', () => {
    assert.deepEqual(problemsOf({ COXSWAIN_SLOTS: '', WANDB_API_KEY: '', WANDB_API_KEY_FILE: '' }), []);
  });

  test('is frozen through and through', () => {
    const config = loadConfig({ COXSWAIN_DATA_FOLDERS: 'traces=/data' });
    assert.throws(() => Object.assign(config.dataFolders, { other: '/etc' }), TypeError);
    assert.throws(() => Object.assign(config.api, { host: '0.0.0.0' }), TypeError);
    assert.throws(() => (config.api.allowedHosts as string[]).push('evil'), TypeError);
  });

  test('names every wrong variable at once, with its value and what is allowed', () => {
    assert.deepEqual(
      problemsOf({ COXSWAIN_SLOTS: '0', TEMPORAL_ADDRESS: 'http://temporal:7233', COXSWAIN_LOG_LEVEL: 'loud' }),
      [
        'TEMPORAL_ADDRESS: found "http://temporal:7233"; allowed: host:port without a scheme',
        'COXSWAIN_SLOTS: found "0"; allowed: a whole number from 1 to 256',
        'COXSWAIN_LOG_LEVEL: found "loud"; allowed: `debug`, `info`, `warn` or `error`',
      ],
    );
  });

  test('lets a worker tell how it is only where a port is named', () => {
    assert.equal(loadConfig({}).health.port, null);
    assert.equal(loadConfig({ COXSWAIN_HEALTH_PORT: '8231' }).health.port, 8231);
    assert.deepEqual(problemsOf({ COXSWAIN_HEALTH_PORT: '0' }), [
      'COXSWAIN_HEALTH_PORT: found "0"; allowed: a whole number from 1 to 65535',
    ]);
  });

  test('refuses what only looks like a number', () => {
    for (const value of ['1e2', ' 8', '8.0', '0x10', '-1', '99999999999999999999'])
      assert.equal(problemsOf({ COXSWAIN_API_PORT: value }).length, 1, value);
  });

  test('reads data folders by name and refuses a name that occurs twice', () => {
    const { dataFolders } = loadConfig({ COXSWAIN_DATA_FOLDERS: 'traces=/data/a=b, azure=./azure' });
    assert.deepEqual({ ...dataFolders }, { traces: '/data/a=b', azure: resolve('azure') });
    assert.match(problemsOf({ COXSWAIN_DATA_FOLDERS: 'a=/x,a=/y' })[0], /^COXSWAIN_DATA_FOLDERS: found "a=\/x,a=\/y"/);
    assert.equal(problemsOf({ COXSWAIN_DATA_FOLDERS: '/data' }).length, 1);
    assert.equal(problemsOf({ COXSWAIN_DATA_FOLDERS: 'a=/x,' }).length, 1);
  });

  test('reads where the cluster is, and allows no namespace by itself', () => {
    assert.deepEqual(loadConfig({}).cluster, { kubeconfig: null, context: null, namespaces: [] });
    const set = {
      COXSWAIN_KUBECONFIG: './kube',
      COXSWAIN_KUBE_CONTEXT: 'eu',
      COXSWAIN_CLUSTER_NAMESPACES: 'shop, a-1',
    };
    assert.deepEqual(loadConfig(set).cluster, {
      kubeconfig: resolve('kube'),
      context: 'eu',
      namespaces: ['shop', 'a-1'],
    });
    assert.match(
      problemsOf({ COXSWAIN_KUBE_CONTEXT: 'eu' })[0],
      /^COXSWAIN_KUBE_CONTEXT: .*without COXSWAIN_KUBECONFIG/,
    );
    for (const value of ['Shop', 'shop,', '*', 'a/b', '-a', 'a'.repeat(64)])
      assert.equal(problemsOf({ COXSWAIN_CLUSTER_NAMESPACES: value }).length, 1, value);
  });

  test('reads an s3:// URL with its credentials and refuses it without them', () => {
    const s3 = {
      COXSWAIN_ARTIFACTS: 's3://bucket/some//prefix/',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'key',
    };
    const { artifacts } = loadConfig({ ...s3, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000/' });
    assert.ok(artifacts.kind === 's3');
    assert.equal(artifacts.bucket, 'bucket');
    assert.equal(artifacts.prefix, 'some/prefix');
    assert.equal(artifacts.endpoint, 'http://127.0.0.1:9000');
    assert.equal(artifacts.secretAccessKey.reveal(), 'key');
    const problems = problemsOf({ COXSWAIN_ARTIFACTS: 's3://bucket' });
    assert.deepEqual(
      problems.map((problem) => problem.split(':')[0]),
      ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
    );
    assert.equal(problemsOf({ COXSWAIN_ARTIFACTS: 'https://bucket.example.com' }).length, 1);
  });

  test('reads where live services are measured, with tokens from files, and refuses a token without its server', () => {
    const { metrics } = loadConfig({
      COXSWAIN_PROMETHEUS_URL: 'https://prometheus.example.com/prefix/',
      COXSWAIN_PROMETHEUS_TOKEN_FILE: fileWith(`${token}\n`),
      COXSWAIN_METRICS_NAMES: 'names.json',
    });
    assert.equal(metrics.prometheus?.url, 'https://prometheus.example.com/prefix');
    assert.equal(metrics.prometheus.token?.reveal(), token);
    assert.equal(metrics.kiali, null);
    assert.equal(metrics.namesFile, resolve('names.json'));
    assert.deepEqual(loadConfig({}).metrics, { prometheus: null, kiali: null, namesFile: null });
    assert.deepEqual(problemsOf({ COXSWAIN_KIALI_TOKEN: token }), [
      'COXSWAIN_KIALI_URL: found nothing; needed because COXSWAIN_KIALI_TOKEN is set',
    ]);
    const leaking = problemsOf({ COXSWAIN_PROMETHEUS_URL: 'https://somebody:password@prometheus.example.com' });
    assert.equal(leaking.length, 1);
    assert.doesNotMatch(leaking[0], /password@/);
  });

  test('reads a secret again from a file that is renewed, and keeps what it had while there is none', () => {
    const file = fileWith('first\n');
    const { metrics } = loadConfig({ COXSWAIN_KIALI_URL: 'http://kiali', COXSWAIN_KIALI_TOKEN_FILE: file });
    const secret = metrics.kiali!.token!;
    writeFileSync(file, 'second\n');
    assert.deepEqual([secret.reveal(), secret.latest()], ['first', 'second']);
    rmSync(file);
    assert.equal(secret.latest(), 'first');
    const direct = loadConfig({ COXSWAIN_KIALI_URL: 'http://kiali', COXSWAIN_KIALI_TOKEN: 'direct' }).metrics.kiali!;
    assert.equal(direct.token!.latest(), 'direct');
  });

  test('refuses to listen beyond loopback without a token', () => {
    assert.match(problemsOf({ COXSWAIN_API_HOST: '0.0.0.0' })[0], /COXSWAIN_API_TOKEN/);
    assert.equal(loadConfig({ COXSWAIN_API_HOST: '0.0.0.0', COXSWAIN_API_TOKEN: token }).api.host, '0.0.0.0');
    assert.deepEqual(
      ['127.0.0.1', '127.8.8.8', '::1', 'localhost', '0.0.0.0', '::', 'example.com', '127.example.com'].map(isLoopback),
      [true, true, true, true, false, false, false, false],
    );
  });

  test('encrypts the connection to Temporal when a key or a TLS file says so', () => {
    assert.notEqual(loadConfig({ TEMPORAL_API_KEY: 'k' }).temporal.tls, null);
    assert.equal(loadConfig({ TEMPORAL_API_KEY: 'k', TEMPORAL_TLS: 'false' }).temporal.tls, null);
    const { tls } = loadConfig({
      TEMPORAL_TLS_CLIENT_CERT_PATH: fileWith('CERT\n'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: fileWith('KEY\n'),
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: fileWith('CA\n'),
    }).temporal;
    assert.equal(tls?.serverCaPem, 'CA');
    assert.equal(tls.client?.certPem, 'CERT');
    assert.equal(tls.client.keyPem.reveal(), 'KEY');
  });

  test('refuses half of a client certificate, a missing file, and TLS files with TLS off', () => {
    assert.match(problemsOf({ TEMPORAL_TLS_CLIENT_CERT_PATH: fileWith('CERT') })[0], /set both or none/);
    assert.match(
      problemsOf({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/absent.pem' })[0],
      /cannot read \/absent\.pem \(ENOENT\)/,
    );
    assert.match(problemsOf({ TEMPORAL_TLS: 'false', TEMPORAL_TLS_SERVER_NAME: 'x' })[0], /^TEMPORAL_TLS: /);
  });
});

describe('secrets', () => {
  test('may come from files, without the line break at their end', () => {
    const config = loadConfig({ WANDB_API_KEY_FILE: fileWith('from-a-file\n') });
    assert.equal(config.wandb.apiKey?.reveal(), 'from-a-file');
  });

  test('from a variable and a file at once, from a missing or from an empty file are refused', () => {
    assert.match(problemsOf({ WANDB_API_KEY: 'x', WANDB_API_KEY_FILE: '/y' })[0], /set only one of them/);
    assert.match(problemsOf({ WANDB_API_KEY_FILE: '/absent' })[0], /^WANDB_API_KEY_FILE: cannot read \/absent/);
    assert.match(problemsOf({ WANDB_API_KEY_FILE: fileWith('\n') })[0], /is empty/);
  });

  test('are not shown when the configuration is printed, inspected or turned into JSON', () => {
    const config = loadConfig({
      MONGODB_URL: 'mongodb://user:needle-1@host/',
      TEMPORAL_API_KEY: 'needle-2',
      COXSWAIN_ARTIFACTS: 's3://bucket',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'needle-3',
      AWS_SESSION_TOKEN: 'needle-4',
      COXSWAIN_API_TOKEN: `needle-5-${token}`,
      COXSWAIN_WEBHOOK_SECRET: `needle-6-${token}`,
      WANDB_API_KEY: 'needle-7',
      TEMPORAL_TLS_CLIENT_CERT_PATH: fileWith('CERT'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: fileWith('needle-8'),
    });
    const secret = config.mongo.url;
    const shown = [
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      `${secret}`,
      JSON.stringify(Object.entries(secret)),
    ];
    for (const text of shown) assert.doesNotMatch(text, /needle/);
    assert.equal(shown[0].match(/\[secret\]/g)?.length, 8);
  });

  test('are not shown in messages, nor are passwords in URLs', () => {
    assert.deepEqual(problemsOf({ MONGODB_URL: 'needle', COXSWAIN_API_TOKEN: 'needle' }), [
      'MONGODB_URL: found a value that is not shown; allowed: mongodb://… or mongodb+srv://…',
      'COXSWAIN_API_TOKEN: found a value that is not shown; allowed: text of at least 16 characters',
    ]);
    assert.match(problemsOf({ WANDB_BASE_URL: 'http://me:needle@host' })[0], /found "http:\/\/\*\*\*@host"/);
  });
});

describe('docs/configuration.md', () => {
  test('is what the table of settings says (else run `node scripts/write-reference.ts`)', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');
    assert.equal(page, configurationPage());
  });

  test('has a section for every setting', () => {
    for (const name of Object.keys(settings)) assert.match(configurationPage(), new RegExp(`^## ${name}$`, 'm'));
  });
});
