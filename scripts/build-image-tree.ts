/**
 * `node scripts/build-image-tree.ts FOLDER`: what the container images hold beside their base, ready to be copied, in
 * FOLDER/worker and FOLDER/api: the built package and its production dependencies for this platform.
 * deploy/images/Dockerfile runs it; the tests run it too, and start the programs from the folders, because an image
 * cannot be built everywhere.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);

interface Tree {
  readonly name: string;
  /** Groups of dependencies, as npm names them. */
  readonly omit: readonly string[];
  readonly without: readonly string[];
}

/** The API computes nothing: it goes without the optional numeric engines and without Temporal's native worker. */
const trees: readonly Tree[] = [
  { name: 'worker', omit: ['dev'], without: [] },
  { name: 'api', omit: ['dev', 'optional'], without: ['@temporalio/worker', '@temporalio/core-bridge'] },
];

/** Folders of packages that hold one folder for each platform, and what this platform's folder is called. */
const platformFolders = [
  { folder: 'onnxruntime-node/bin/napi-v6', keep: process.platform },
  { folder: `onnxruntime-node/bin/napi-v6/${process.platform}`, keep: process.arch },
  { folder: '@temporalio/core-bridge/releases', keep: rustTarget() },
  { folder: '*/prebuilds', keep: `${process.platform}-${process.arch}` },
];

/** Sources that were compiled into what is beside them. */
const sourceFolders = ['sdk-core', 'src', 'bridge-macros'].map((name) => `@temporalio/core-bridge/${name}`);

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('Usage: build-image-tree FOLDER\n');
  process.exit(2);
}
execFileSync(process.execPath, [join(root, 'scripts', 'build-package.ts')], { stdio: 'inherit' });
for (const tree of trees) buildTree(tree, join(folder, tree.name));

function buildTree(tree: Tree, out: string): void {
  mkdirSync(out, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'LICENSE', 'bin', 'dist'])
    cpSync(join(root, name), join(out, name), { recursive: true });
  installDependencies(tree, out);
  prune(tree, out);
}

/** No package needs its install script: the native parts are in the packages. */
function installDependencies({ omit }: Tree, out: string): void {
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', ...omit.map((group) => `--omit=${group}`), ...options], { cwd: out, stdio: 'inherit' });
}

/** Removes what no program reads: other platforms, sources, types and source maps. */
function prune({ without }: Tree, out: string): void {
  const modules = join(out, 'node_modules');
  for (const { folder: pattern, keep } of platformFolders)
    for (const path of matching(modules, pattern))
      for (const name of readdirSync(path)) if (name !== keep) remove(join(path, name));
  for (const name of [...sourceFolders, ...without]) remove(join(modules, name));
  for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' }))
    if (/\.(d\.[cm]?ts|map)$/.test(name)) remove(join(out, name));
  remove(join(out, '.npmrc'));
}

/** The folders that a pattern names; `*` is any package without a scope. */
function matching(modules: string, pattern: string): string[] {
  const names = pattern.startsWith('*/') ? readdirSync(modules).map((name) => pattern.replace('*', name)) : [pattern];
  return names.map((name) => join(modules, name)).filter((path) => existsSync(path));
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** As Rust calls this platform. */
function rustTarget(): string {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return `${machine}-${process.platform === 'darwin' ? 'apple-darwin' : 'unknown-linux-gnu'}`;
}
