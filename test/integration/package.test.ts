import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { execFile, fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testServices, uniqueName } from '../../scripts/local-services/test-services.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'coxswain-package-'));
const installed = join(folder, 'node_modules', 'coxswain');
const installTimeoutMs = 240_000;

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], workingFolder = folder): Promise<Result> {
  const options = {
    cwd: workingFolder,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    timeout: installTimeoutMs,
    maxBuffer: 2 ** 26,
  };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

async function mustRun(command: string, args: readonly string[], workingFolder?: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, workingFolder);
  assert.equal(code, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

before(
  async () => {
    await mustRun('npm', ['pack', '--pack-destination', folder], root);
    const [archive] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    await mustRun('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${archive}`]);
  },
  { timeout: installTimeoutMs },
);

after(() => rmSync(folder, { recursive: true, force: true }));

test('the package holds JavaScript with types and the bundled pipelines, and no TypeScript, tests or scripts', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  for (const path of [
    'bin/coxswain.mjs',
    'dist/src/cli/main.js',
    'dist/src/client/index.d.ts',
    'dist/workers/trainer.js',
  ]) {
    assert.ok(files.includes(path), `${path} is missing`);
  }
  assert.ok(files.includes('dist/config/pipelines/online-boutique.yaml'));
  const unwanted = files.filter((path) => /^(test|scripts|src)\b|(?<!\.d)\.ts$/.test(path));
  assert.deepEqual(unwanted, []);
});

test('the command works from another folder, and by the Node that started it', async () => {
  const help = await mustRun('npx', ['--no-install', 'coxswain', '--help']);
  for (const command of ['up', 'run', 'status', 'list', 'cancel', 'models'])
    assert.match(help, new RegExp(`\\b${command}\\b`));
});

test('the command refuses a bad spec with exit code 2, without any service', async () => {
  writeFileSync(join(folder, 'bad.yaml'), 'version: 1\nname: Bad Name\n');
  const { code, stderr } = await run('npx', ['--no-install', 'coxswain', 'run', 'bad.yaml']);
  assert.equal(code, 2);
  assert.match(stderr, /name/);
});

test('the SDK is imported by its name, with types that a strict compiler accepts', async () => {
  const program = `
    import { createCoxswainClient } from 'coxswain';
    import type { CoxswainClient, RunRequest } from 'coxswain';
    import { createMongoStore } from 'coxswain/store';
    const store = createMongoStore({ url: 'mongodb://127.0.0.1:1', database: 'none' });
    const client: CoxswainClient = createCoxswainClient({ temporal: { connection: { address: '127.0.0.1:1' } }, store });
    const request: RunRequest = { spec: {} };
    const refused: string = await client.startRun(request).then(() => 'no', (error: Error) => error.message);
    console.log(refused);
    await client.close();
    await store.close();
  `;
  writeFileSync(join(folder, 'program.ts'), program);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck', '--types', 'node'];
  const typeRoots = join(root, 'node_modules', '@types');
  await mustRun(process.execPath, [compiler, ...options, '--typeRoots', typeRoots, 'program.ts']);
  assert.match(await mustRun(process.execPath, ['program.js']), /name/);
});

test('the workers run out of the package on real servers', async (context) => {
  const services = await testServices();
  context.after(() => services.stop());
  const environment = {
    TEMPORAL_ADDRESS: services.temporalAddress,
    MONGODB_URL: services.mongoUrl,
    COXSWAIN_DATABASE: uniqueName('package'),
    COXSWAIN_ARTIFACTS: join(folder, 'artifacts'),
  };
  for (const worker of ['orchestrator', 'trainer']) {
    const child = fork(join(installed, 'dist', 'workers', `${worker}.js`), [], {
      cwd: folder,
      execArgv: [],
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    assert.equal(await readyOrEnd(child), 'ready', worker);
    child.kill('SIGTERM');
    assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0, worker);
  }
});

/** `ready`, or what the process said before it ended. */
function readyOrEnd(child: ChildProcess): Promise<string> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('message', ({ kind }: { kind?: string }) => kind === 'ready' && resolve('ready'));
    child.once('exit', (code) => resolve(`ended with code ${code}: ${output}`));
  });
}
