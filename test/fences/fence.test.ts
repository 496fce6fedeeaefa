import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { IConfiguration } from 'dependency-cruiser';

const root = join(import.meta.dirname, '..', '..');
const rooms = ['src', 'workflows', 'activities', 'workers', 'config', 'scripts', 'test', 'bench'].filter((room) =>
  existsSync(join(root, room)),
);

interface Report {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

/** What the fence says of the tree at `folder`. It exits with the number of violations, so that is no failure. */
function cruise(folder: string): Promise<Report> {
  const program = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const args = [program, '--config', join(root, '.dependency-cruiser.mjs'), '--output-type', 'json', ...rooms];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as Report);
      } catch {
        reject(error ?? new Error(stderr));
      }
    });
  });
}

/** One violation for each rule: the file, and what it imports. */
const planted: Record<string, readonly [from: string, imports: string]> = {
  'workflows-and-activities-apart': ['workflows/takes-activity.ts', "import type { X } from '../activities/plain.ts';"],
  'activities-and-workflows-apart': ['activities/takes-workflow.ts', "import { x } from '../workflows/plain.ts';"],
  'workflows-stay-pure': ['workflows/takes-spec.ts', "import { x } from '../src/spec/plain.ts';"],
  'workflows-import-temporal-only': ['workflows/takes-zod.ts', "import { z } from 'zod';"],
  'no-node-builtins-in-workflows': ['workflows/takes-builtin.ts', "import { join } from 'node:path';"],
  'no-packages-in-domain': ['src/domain/takes-zod.ts', "import type { z } from 'zod';"],
  'contracts-stay-light': ['src/contracts/takes-zod.ts', "import { z } from 'zod';"],
  'contracts-import-nothing-of-ours': ['src/contracts/takes-domain.ts', "import { x } from '../domain/plain.ts';"],
  'domain-imports-contracts-only': ['src/domain/takes-rl.ts', "import { x } from '../rl/plain.ts';"],
  'spec-imports-contracts-only': ['src/spec/takes-store.ts', "import { x } from '../store/plain.ts';"],
  'tensor-imports-contracts-only': ['src/tensor/takes-rl.ts', "import { x } from '../rl/plain.ts';"],
  'rl-imports-tensor-and-contracts': ['src/rl/takes-store.ts', "import { x } from '../store/plain.ts';"],
  'recordings-import-contracts': ['src/recordings/takes-store.ts', "import { x } from '../store/plain.ts';"],
  'twin-load-imports-rl-and-recordings': ['src/twin-load/takes-cluster.ts', "import { x } from '../cluster/plain.ts';"],
  'store-is-an-adapter': ['src/store/takes-tracking.ts', "import { x } from '../tracking/plain.ts';"],
  'tracking-is-an-adapter': ['src/tracking/takes-store.ts', "import { x } from '../store/plain.ts';"],
  'cluster-is-an-adapter': ['src/cluster/takes-store.ts', "import { x } from '../store/plain.ts';"],
  'control-imports': ['src/control/takes-cluster.ts', "import { x } from '../cluster/plain.ts';"],
  'client-imports': ['src/client/takes-store.ts', "import { x } from '../store/plain.ts';"],
  'api-goes-through-client': ['src/api/takes-workflow.ts', "import { x } from '../../workflows/plain.ts';"],
  'only-the-api-main-wires-adapters': ['src/api/takes-store.ts', "import { x } from '../store/plain.ts';"],
  'cli-goes-through-client': ['src/cli/takes-store.ts', "import { x } from '../store/plain.ts';"],
  'activities-import-no-process': ['activities/takes-api.ts', "import { x } from '../src/api/plain.ts';"],
  'workers-import-no-api': ['workers/takes-api.ts', "import { x } from '../src/api/plain.ts';"],
  'config-imports-contracts-only': ['config/takes-rl.ts', "import { x } from '../src/rl/plain.ts';"],
  'settings-are-handed-in': ['src/store/takes-config.ts', "import { x } from '../../config/plain.ts';"],
  'no-second-way-to-the-environment': ['src/store/takes-process.ts', "import { env } from 'node:process';"],
  'nothing-depends-on-scripts-and-tests': ['src/store/takes-script.ts', "import { x } from '../../scripts/plain.ts';"],
  'declared-packages-only': ['src/store/takes-dev-package.ts', "import { x } from 'only-for-development';"],
  'no-circles': ['src/rl/circle-a.ts', "import { x } from './circle-b.ts';"],
  'imports-resolve': ['src/rl/takes-nothing.ts', "import { x } from './no-such-file.ts';"],
};

/** Imports that the design allows: a fence that forbids everything is of no use either. */
const allowed: readonly (readonly [from: string, imports: string])[] = [
  ['workflows/good.ts', "import { x } from '../src/domain/plain.ts'; import { proxy } from '@temporalio/workflow';"],
  ['activities/good.ts', "import { x } from '../src/rl/plain.ts'; import { join } from 'node:path';"],
  ['workers/good.ts', "import { x } from '../activities/plain.ts'; import { y } from '../config/plain.ts';"],
  ['src/api/main.ts', "import { x } from '../store/plain.ts'; import { y } from '../../config/plain.ts';"],
  ['src/rl/good.ts', "import { x } from '../tensor/plain.ts'; import { z } from 'zod';"],
  ['src/contracts/type-circle-a.ts', "import type { X } from './type-circle-b.ts';"],
  ['src/contracts/type-circle-b.ts', "import type { X } from './type-circle-a.ts';"],
];

const plainFiles = [
  ...[
    'contracts',
    'domain',
    'spec',
    'tensor',
    'rl',
    'recordings',
    'store',
    'tracking',
    'cluster',
    'control',
    'client',
    'api',
    'cli',
  ].map((room) => `src/${room}/plain.ts`),
  ...['workflows', 'activities', 'workers', 'config', 'scripts', 'test', 'bench'].map((room) => `${room}/plain.ts`),
];

const folder = mkdtempSync(join(tmpdir(), 'coxswain-fence-'));
let verdict: Report;

function plant(path: string, text: string): void {
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

before(async () => {
  for (const path of plainFiles) plant(path, 'export const x = 1; export const y = 2; export type X = 1;');
  for (const [path, imports] of [...Object.values(planted), ...allowed]) plant(path, `${imports} export const x = 1;`);
  plant('src/rl/circle-b.ts', "import { x } from './circle-a.ts'; export { x };");
  for (const name of ['zod', 'only-for-development', '@temporalio/workflow']) {
    plant(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    plant(`node_modules/${name}/index.js`, 'exports.x = 1;');
  }
  const dependencies = { zod: '1', '@temporalio/workflow': '1' };
  plant('package.json', JSON.stringify({ dependencies, devDependencies: { 'only-for-development': '1' } }));
  cpSync(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  verdict = await cruise(folder);
});

after(() => rmSync(folder, { recursive: true, force: true }));

for (const [rule, [from]] of Object.entries(planted)) {
  test(`the fence is red when ${from} breaks ${rule}`, () => {
    const broken = verdict.summary.violations
      .filter((violation) => violation.from === from)
      .map(({ rule: { name } }) => name);
    assert.ok(broken.includes(rule), `expected ${rule} among [${broken.join(', ')}]`);
  });
}

test('the fence lets through what the design allows', () => {
  const paths = [...allowed.map(([path]) => path), ...plainFiles];
  assert.deepEqual(
    verdict.summary.violations.filter(({ from }) => paths.includes(from)),
    [],
  );
});

test('every rule has a planted violation, and a sentence that says what to do', async () => {
  const fence = (await import(pathToFileURL(join(root, '.dependency-cruiser.mjs')).href)) as {
    default: IConfiguration;
  };
  const rules = fence.default.forbidden ?? [];
  assert.deepEqual(rules.map(({ name }) => name).sort(), Object.keys(planted).sort());
  for (const { name, comment } of rules) assert.match(comment ?? '', /^[A-Z\w].{40,}\.$/s, `${name} has no sentence`);
});

test('the project keeps the fence, and the fence has seen every file', async () => {
  const { modules, summary } = await cruise(root);
  assert.deepEqual(
    summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`),
    [],
  );
  const seen = new Set(modules.map(({ source }) => source));
  const unseen = rooms.flatMap(typescriptFiles).filter((path) => !seen.has(path));
  assert.deepEqual(unseen, []);
});

function typescriptFiles(room: string): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .map((path) => join(room, path));
}
