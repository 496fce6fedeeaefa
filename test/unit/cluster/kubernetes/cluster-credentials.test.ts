import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ClusterCredentials } from '../../../../src/cluster/kubernetes/cluster-credentials.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-credentials-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const content = {
  clusters: ['eu', 'us'].map((name) => ({ name, cluster: { server: `https://${name}.example:6443/` } })),
  users: [
    { name: 'ann', user: { token: 'the-token-of-ann' } },
    { name: 'bob', user: { tokenFile: 'bob-token' } },
    { name: 'cid', user: { exec: { command: join(folder, 'no-such-plugin') } } },
    { name: 'dan', user: { username: 'dan', password: 'secret-of-dan' } },
  ],
  contexts: [
    { name: 'in-eu', context: { cluster: 'eu', user: 'ann' } },
    { name: 'in-us', context: { cluster: 'us', user: 'bob' } },
    { name: 'plugin', context: { cluster: 'us', user: 'cid' } },
    { name: 'basic', context: { cluster: 'us', user: 'dan' } },
    { name: 'broken', context: { cluster: 'nowhere', user: 'ann' } },
  ],
  'current-context': 'in-eu',
};

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const credentials = (context: string | null, kubeconfig: string | null = write('config', JSON.stringify(content))) =>
  new ClusterCredentials({ kubeconfig, context, namespaces: [], serviceAccountRoot: folder });

describe('the credentials of a kubeconfig', () => {
  test('are those of its current context, or of the one that is asked for', async () => {
    const { server, headers } = await credentials(null).connection();
    assert.deepEqual([server, headers.Authorization], ['https://eu.example:6443', 'Bearer the-token-of-ann']);
    write('bob-token', 'the-token-of-bob\n');
    const bob = await credentials('in-us').connection();
    assert.deepEqual([bob.server, bob.headers.Authorization], ['https://us.example:6443', 'Bearer the-token-of-bob']);
    assert.equal((await credentials('basic').connection()).auth, 'dan:secret-of-dan');
  });

  test('use the same connections from request to request', async () => {
    const ann = credentials(null);
    const first = await ann.connection();
    assert.equal((await ann.connection()).agent, first.agent);
    ann.forget(first);
    assert.equal((await ann.connection()).agent, first.agent);
  });

  test('are read again after they were forgotten, once for many who found them old', async () => {
    const path = write('renewed', JSON.stringify(content));
    const ann = credentials(null, path);
    const [first, second] = [await ann.connection(), await ann.connection()];
    write('renewed', JSON.stringify(content).replace('the-token-of-ann', 'the-next-token-of-ann'));
    assert.equal((await ann.connection()).headers.Authorization, 'Bearer the-token-of-ann');
    ann.forget(first);
    const renewed = await ann.connection();
    assert.equal(renewed.headers.Authorization, 'Bearer the-next-token-of-ann');
    ann.forget(second);
    assert.equal((await ann.connection()).source, renewed.source);
  });

  test('name what is wrong with the settings, and repeat nothing of the file', async () => {
    const cases: [ClusterCredentials, RegExp][] = [
      [
        credentials('in-asia'),
        /^COXSWAIN_KUBE_CONTEXT: found in-asia; allowed: .* which has in-eu, in-us, plugin, basic, broken$/,
      ],
      [credentials('broken'), /^COXSWAIN_KUBE_CONTEXT: found broken/],
      [credentials(null, join(folder, 'none')), /^COXSWAIN_KUBECONFIG: .*none cannot be read \(ENOENT\)/],
      [
        credentials(null, write('bad', 'users: [{name: x, user: {token: "top-secret')),
        /^COXSWAIN_KUBECONFIG: .*bad is not a kubeconfig/,
      ],
      [credentials(null, null), /^COXSWAIN_KUBECONFIG: found nothing, and this is no pod/],
    ];
    for (const [each, message] of cases) {
      const error: unknown = await each.connection().catch((caught: unknown) => caught);
      assert.ok(error instanceof Error && 'code' in error && error.code === 'CONFIG_INVALID', String(error));
      assert.match(error.message, message);
      assert.ok(!`${error.stack}`.includes('top-secret'));
    }
  });

  test('are asked of a plug-in once for many requests that begin together, and again after they were forgotten', async () => {
    const asked = join(folder, 'asked');
    const answer = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-plug-in' },
    };
    const plugin = write(
      'plugin.mjs',
      `import { appendFileSync } from 'node:fs';
       appendFileSync(${JSON.stringify(asked)}, 'x');
       console.log(${JSON.stringify(JSON.stringify(answer))});`,
    );
    const exec = { command: process.execPath, args: [plugin] };
    const users = content.users.map((user) => (user.name === 'cid' ? { name: 'cid', user: { exec } } : user));
    const cid = credentials('plugin', write('with-plugin', JSON.stringify({ ...content, users })));
    const connections = await Promise.all(Array.from({ length: 5 }, () => cid.connection()));
    await cid.connection();
    assert.ok(connections.every(({ headers }) => headers.Authorization === 'Bearer from-plug-in'));
    assert.equal(readFileSync(asked, 'utf8'), 'x');
    for (const connection of connections) cid.forget(connection);
    await Promise.all([cid.connection(), cid.connection()]);
    assert.equal(readFileSync(asked, 'utf8'), 'xx');
  });

  test('that a plug-in does not give are refused', async () => {
    await assert.rejects(credentials('plugin').connection(), {
      code: 'CLUSTER_REFUSED',
      message: /user cid of the kubeconfig cannot be had \(ENOENT\)/,
    });
  });
});
