/**
 * `node scripts/build-image-tree.ts --for worker|api --out FOLDER`: what a container image holds beside its base, ready
 * to be copied: the built package and its production dependencies for this platform. deploy/images/Dockerfile runs it;
 * the tests run it too, and start the programs from the folder, because an image cannot be built everywhere.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const root = dirname(import.meta.dirname);

/** The API computes nothing: it goes without the optional numeric engines and without Temporal's native worker. */
const kinds = {
  worker: { omit: ['dev'], without: [] },
  api: { omit: ['dev', 'optional'], without: ['@temporalio/worker', '@temporalio/core-bridge'] },
} as const;

/** Folders of packages that hold one folder for each platform, and what this platform's folder is called. */
const platformFolders = [
  { folder: 'onnxruntime-node/bin/napi-v6', keep: process.platform },
  { folder: `onnxruntime-node/bin/napi-v6/${process.platform}`, keep: process.arch },
  { folder: '@temporalio/core-bridge/releases', keep: rustTarget() },
];

/** Sources that were compiled into what is beside them. */
const sourceFolders = ['sdk-core', 'src', 'bridge-macros'].map((name) => `@temporalio/core-bridge/${name}`);

const { kind, out } = readFlags();
execFileSync(process.execPath, [join(root, 'scripts', 'build-package.ts')], { stdio: 'inherit' });
copyPackage();
installDependencies();
prune();

function readFlags(): { kind: keyof typeof kinds; out: string } {
  const { values } = parseArgs({ options: { for: { type: 'string' }, out: { type: 'string' } } });
  if ((values.for === 'worker' || values.for === 'api') && values.out) return { kind: values.for, out: values.out };
  process.stderr.write(`Usage: build-image-tree --for worker|api --out FOLDER; found --for ${values.for}\n`);
  process.exit(2);
}

function copyPackage(): void {
  mkdirSync(out, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'LICENSE', 'bin', 'dist'])
    cpSync(join(root, name), join(out, name), { recursive: true });
}

/** No package needs its install script: the native parts are in the packages. */
function installDependencies(): void {
  const omit = kinds[kind].omit.map((group) => `--omit=${group}`);
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', ...omit, ...options], { cwd: out, stdio: 'inherit' });
}

/** Removes what no program reads: other platforms, sources, types and source maps. */
function prune(): void {
  const modules = join(out, 'node_modules');
  for (const { folder, keep } of platformFolders)
    for (const name of entriesOf(join(modules, folder))) if (name !== keep) remove(join(modules, folder, name));
  for (const folder of [...sourceFolders, ...kinds[kind].without]) remove(join(modules, folder));
  for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' }))
    if (/\.(d\.[cm]?ts|map)$/.test(name)) remove(join(out, name));
  remove(join(out, '.npmrc'));
}

function entriesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** As Rust calls this platform. */
function rustTarget(): string {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return `${machine}-${process.platform === 'darwin' ? 'apple-darwin' : 'unknown-linux-gnu'}`;
}
