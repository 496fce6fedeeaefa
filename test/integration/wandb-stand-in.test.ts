import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { validateSchema } from 'graphql';
import { createWandbTracker } from '../../src/tracking/wandb-client.ts';
import { wandbQueries } from '../../src/tracking/wandb-queries.ts';
import { apiKey } from '../fakes/wandb-mirroring.ts';
import { wandbSchema } from '../fakes/wandb-schema.ts';
import { startWandbServer } from '../fakes/wandb-server.ts';
import type { WandbServer } from '../fakes/wandb-server.ts';

let server: WandbServer;
before(async () => {
  server = await startWandbServer({ apiKey });
});
after(() => server.close());

/** How many violations the test began with. */
let violationsBefore = 0;
beforeEach(() => {
  violationsBefore = server.violations.length;
});

const newViolations = (): readonly string[] => server.violations.slice(violationsBefore);
const basic = (key: string): string => `Basic ${Buffer.from(`api:${key}`).toString('base64')}`;
const md5 = (text: string): string => createHash('md5').update(text).digest('base64');

interface Answer {
  readonly status: number;
  readonly data: Record<string, never>;
  readonly errors: readonly { message: string }[];
}

async function ask(query: string, variables: object = {}, key = apiKey): Promise<Answer> {
  const headers = { authorization: basic(key), 'content-type': 'application/json' };
  const body = JSON.stringify({ query, variables, operationName: '' });
  const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body });
  const { data = {}, errors = [] } = (await response.json()) as Partial<Answer>;
  return { status: response.status, data, errors };
}

async function stream(run: string, body: object): Promise<number> {
  const headers = { authorization: basic(apiKey), 'content-type': 'application/json' };
  const url = `${server.url}/files/acme/proj/${run}/file_stream`;
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
}

function history(offset: number, ...content: string[]): object {
  return { files: { 'wandb-history.jsonl': { offset, content } } };
}

async function startedRun(name: string): Promise<string> {
  await ask(wandbQueries.upsertBucket, { name, project: 'proj', entity: 'acme' });
  return name;
}

test("W&B's published schema is rebuilt without an error, and our operations keep to it", async () => {
  assert.deepEqual(validateSchema(wandbSchema()), []);
  for (const query of Object.values(wandbQueries)) await ask(query);
  assert.deepEqual(
    newViolations().filter((violation) => /Cannot query|Unknown (?:argument|type)|position expecting/.test(violation)),
    [],
  );
});

test('unknown fields, arguments and operations are refused', async () => {
  for (const query of [
    'query A { viewer { shoeSize } }',
    'query A { viewer(size: 3) { id } }',
    'mutation A { upsertBucket(input: { name: "x", colour: "red" }) { inserted } }',
    'mutation A { deleteEverything { ok } }',
    'not GraphQL',
  ]) {
    const { status, errors } = await ask(query);
    assert.deepEqual([status, errors.length > 0], [400, true], query);
  }
  assert.equal(newViolations().length, 5);
});

test('a wrong key is refused', async () => {
  assert.equal((await ask('query A { viewer { id } }', {}, 'wrong')).status, 401);
});

test('a stream of a run that was not started is refused, and so is a body of another form', async () => {
  assert.equal(await stream('nobody', {}), 404);
  const run = await startedRun('forms');
  for (const body of [
    { lines: [] },
    { files: { 'wandb-history.jsonl': ['{}'] } },
    { files: { 'secrets.txt': { offset: 0, content: [] } } },
    { complete: true },
  ])
    assert.equal(await stream(run, body), 400, JSON.stringify(body));
  assert.equal(await stream(run, {}), 200);
});

test('a gap and other bytes at an offset are noted, the same bytes are not', async () => {
  const run = await startedRun('offsets');
  await stream(run, history(0, '{"a":1}', '{"a":2}'));
  await stream(run, history(1, '{"a":2}', '{"a":3}'));
  assert.deepEqual(newViolations(), []);
  await stream(run, history(2, '{"a":4}'));
  await stream(run, history(7, '{"a":8}'));
  assert.deepEqual(newViolations(), [
    'offsets wandb-history.jsonl: line 2 was {"a":3} and is sent as {"a":4}',
    'offsets wandb-history.jsonl: a gap from 3 to 7',
  ]);
});

interface Upload {
  readonly artifactID: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** An artifact with one announced file `m.bin` of the text `hello`. */
async function announcedArtifact(digest: string, alias = 'prod'): Promise<Upload> {
  const run = await startedRun('maker');
  const names = { entityName: 'acme', projectName: 'proj', runName: run };
  const aliases = [{ alias, artifactCollectionName: 'model' }];
  const input = {
    ...names,
    artifactTypeName: 'model',
    artifactCollectionName: 'model',
    digest,
    digestAlgorithm: 'MANIFEST_MD5',
    aliases,
  };
  const created = await ask(wandbQueries.createArtifact, { input });
  if (created.errors.length > 0) throw new Error(created.errors[0].message);
  const { id: artifactID } = (created.data as unknown as { createArtifact: { artifact: { id: string } } })
    .createArtifact.artifact;
  const artifactFiles = [{ artifactID, name: 'm.bin', md5: md5('hello') }];
  const { data } = await ask(wandbQueries.createArtifactFiles, { input: { artifactFiles, storageLayout: 'V2' } });
  const { node } = (data as unknown as Files).createArtifactFiles.files.edges[0];
  const [name, value] = node.uploadHeaders[0].split(/:(.*)/s);
  return { artifactID, url: node.uploadUrl, headers: { [name]: value } };
}

interface Files {
  createArtifactFiles: { files: { edges: { node: { uploadUrl: string; uploadHeaders: string[] } }[] } };
}

const put = async (url: string, text: string, headers: Record<string, string>): Promise<number> =>
  (await fetch(url, { method: 'PUT', headers, body: Buffer.from(text) })).status;

test('storage takes the announced bytes with the signed header only, and no credentials', async () => {
  const { url, headers } = await announcedArtifact('0'.repeat(32));
  assert.equal(await put(url, 'other', headers), 400);
  assert.equal(await put(url, 'hello', {}), 403);
  assert.equal(await put(url, 'hello', { ...headers, 'content-type': 'text/plain' }), 403);
  assert.equal(await put(`${url}x`, 'hello', headers), 403);
  assert.equal(await put(url, 'hello', headers), 200);
  assert.deepEqual(newViolations(), []);
  await put(url, 'hello', { ...headers, authorization: basic(apiKey) });
  assert.deepEqual(newViolations(), ['credentials were sent to storage']);
});

test('an artifact is committed only with a manifest whose digests are right', async () => {
  const { artifactID, url, headers } = await announcedArtifact('0'.repeat(32));
  const commit = async (): Promise<string> => {
    const { errors } = await ask(wandbQueries.commitArtifact, { artifactID });
    return errors[0]?.message ?? 'committed';
  };
  const manifest = async (digest: string): Promise<void> => {
    const contents = { 'm.bin': { digest, size: 5 } };
    const text = JSON.stringify({ version: 1, storagePolicy: 'wandb-storage-policy-v1', contents });
    const names = { entityName: 'acme', projectName: 'proj', runName: 'maker', name: 'wandb_manifest.json' };
    const variables = { artifactID, ...names, digest: md5(text), includeUpload: true };
    const { data } = await ask(wandbQueries.createArtifactManifest, variables);
    const { file } = (data as unknown as Manifest).createArtifactManifest.artifactManifest;
    await put(file.uploadUrl, text, { 'content-md5': md5(text) });
  };
  assert.match(await commit(), /without a manifest/);
  await manifest(md5('hello'));
  assert.match(await commit(), /m\.bin is in the manifest and was not uploaded/);
  await put(url, 'hello', headers);
  await manifest(md5('other'));
  assert.match(await commit(), /digest is not that of the bytes/);
  await manifest(md5('hello'));
  assert.match(await commit(), /announced was 0{32}/);
  assert.equal(server.artifacts.byAlias('model', 'prod'), null);
});

interface Manifest {
  createArtifactManifest: { artifactManifest: { file: { uploadUrl: string } } };
}

test("W&B's own alias form and digests of another kind are refused", async () => {
  await assert.rejects(announcedArtifact('0'.repeat(32), 'v1'), /alias v1 is W&B's own/);
  await assert.rejects(announcedArtifact('abc'), /not a hexadecimal MD5/);
});

test('an equal model is the same version and moves nothing', async () => {
  const tracker = createWandbTracker({ apiKey, baseUrl: server.url });
  const { signal } = new AbortController();
  const description = { displayName: 'r', group: 'g', jobType: 'j', tags: [], notes: '', commit: null, config: {} };
  const place = { id: 'dedup', project: 'proj', entity: null, startedAt: new Date() };
  const run = await tracker.startRun({ ...place, ...description }, signal);
  const files = [{ name: 'p.onnx', bytes: Buffer.from('bytes') }];
  const model = { name: 'dedup-model', description: '', aliases: ['champion'], metadata: {}, files };
  await tracker.uploadModel(run, model, signal);
  await tracker.uploadModel(run, model, signal);
  const versions = server.artifacts.all.filter(({ collection }) => collection === 'dedup-model');
  assert.deepEqual(
    versions.map(({ state }) => state),
    ['COMMITTED'],
  );
});

test("W&B's JavaScript client gets along with the stand-in", async () => {
  const program = `
    import wandb from '@wandb/sdk';
    await wandb.init({ project: 'proj', entity: 'acme', id: 'js-client', config: { lr: 0.1 } });
    wandb.log({ loss: 1 });
    wandb.log({ loss: 0.5 });
    await wandb.finish();
    process.exit(0);`;
  const env = { PATH: process.env.PATH, WANDB_API_KEY: apiKey, WANDB_BASE_URL: server.url };
  const options = { env, cwd: import.meta.dirname, timeout: 30_000 };
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], options);
  const run = server.runs.find('acme', 'proj', 'js-client');
  assert.deepEqual(
    run?.history.map((line) => (JSON.parse(line) as { loss: number }).loss),
    [1, 0.5],
  );
  assert.deepEqual([run?.isComplete, newViolations()], [true, []]);
});
