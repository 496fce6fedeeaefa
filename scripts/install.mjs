// Plain JavaScript that Node 20 runs: brings the locked dependencies and Node 24 into node_modules.
//
// 1. Install scripts of dependencies are not run: npm 11 blocks them, none of ours needs one, and the one of the `node`
//    package, which fetches the platform's Node, is replaced by a lockfile of our own (scripts/node-runtime).
// 2. npm writes node_modules/.package-lock.json last, so it says what a complete install holds.
// 3. Two entries at once: the second waits for the first and then finds everything installed.
import { execFileSync, fork } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from './file-lock.mjs';
import { isRunning, thisProcess } from './process-identity.mjs';

const nodePackage = 'node_modules/node';

/**
 * Installs what is missing in the project at `root` and returns the program to go on with: the pinned Node 24, or the
 * running one when that is 24 or newer and the pinned one does not exist for this platform. Throws with a sentence that
 * says what to do.
 * @param {string} root
 * @returns {Promise<string>}
 */
export async function install(root) {
  if (!isComplete(root) || !runsPinnedNode(root)) {
    const release = await lock(join(root, '.coxswain', 'install.lock'), {
      onWait: (holder) => say(`Waiting for process ${holder.pid}, which is installing the dependencies ...`),
    });
    try {
      await endEarlierNpm(root);
      if (!isComplete(root)) await installDependencies(root);
      if (!runsPinnedNode(root)) await installPinnedNode(root);
    } finally {
      release();
    }
  }
  return nodeToUse(root);
}

/** The keeper of a killed entry needs a moment to end its npm, which must not write beside ours. */
async function endEarlierNpm(root) {
  const folder = join(root, '.coxswain', 'records');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^npm-.*\.json$/.test(name)) : [];
  for (const name of names) {
    const { program } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    if (isRunning(program)) process.kill(program.pid, 'SIGKILL');
    while (isRunning(program)) await sleep(20);
    rmSync(join(folder, name), { force: true });
  }
}

/**
 * True when node_modules holds every package of package-lock.json that belongs on this platform, in its version.
 * @param {string} root
 */
export function isComplete(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return entry.optional === true && !fitsPlatform(entry);
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : {};
}

/** A package for one C library only may be left out on any machine: which library there is, is not looked up here. */
function fitsPlatform({ os, cpu, libc }) {
  return libc === undefined && allows(os, process.platform) && allows(cpu, process.arch);
}

function allows(list, value) {
  const names = [list ?? []].flat();
  const allowed = names.filter((name) => !name.startsWith('!'));
  return !names.includes(`!${value}`) && (allowed.length === 0 || allowed.includes(value));
}

async function installDependencies(root) {
  say('Installing the locked dependencies (once) ...');
  await npm(root, root, ['ci', '--include=dev', '--include=optional']);
}

/** npm unpacks the platform's package, checked against the committed hash, in a folder of its own. */
async function installPinnedNode(root) {
  say('Installing the pinned Node 24 (once) ...');
  const scratch = join(root, '.coxswain', `node-runtime-${process.pid}`);
  cpSync(join(root, 'scripts', 'node-runtime'), scratch, { recursive: true });
  try {
    await npm(root, scratch, ['ci']);
    const unpacked = join(scratch, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
    if (existsSync(unpacked)) moveIntoPlace(root, unpacked);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function moveIntoPlace(root, unpacked) {
  const program = pinnedNode(root);
  mkdirSync(dirname(program), { recursive: true });
  const draft = `${program}.${process.pid}`;
  copyFileSync(unpacked, draft);
  renameSync(draft, program);
  const link = join(root, 'node_modules', '.bin', 'node');
  rmSync(link, { force: true });
  symlinkSync(join('..', 'node', 'bin', 'node'), link);
}

/** @param {string} root */
export function pinnedNode(root) {
  return join(root, nodePackage, 'bin', 'node');
}

/** True when the pinned Node is there, in the locked version, and runs on this machine. */
function runsPinnedNode(root) {
  const locked = packagesOf(join(root, 'package-lock.json'))[nodePackage].version;
  return versionOf(pinnedNode(root)) === `v${locked}`;
}

function versionOf(program) {
  try {
    return execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function nodeToUse(root) {
  if (runsPinnedNode(root)) return pinnedNode(root);
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Error(
    `The npm package "node" has no Node 24 that runs on ${process.platform}-${process.arch}, and this is Node ` +
      `${process.versions.node}. Install Node 24 and start again.`,
  );
}

/** Runs npm under a keeper: npm must not go on installing when this process was killed, since its lock is then free. */
function npm(root, folder, args) {
  const [command, ...first] = npmCommand();
  const task = {
    name: 'npm',
    command,
    args: [...first, ...args, '--ignore-scripts', '--no-audit', '--no-fund'],
    workingFolder: folder,
    recordFile: join(root, '.coxswain', 'records', `npm-${process.pid}.json`),
    owner: thisProcess(),
    stopTimeoutMs: 5_000,
  };
  const keeper = fork(join(root, 'scripts', 'local-services', 'keeper.mjs'), [JSON.stringify(task)], {
    detached: true,
    execArgv: [],
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    // Standard output belongs to the program that is about to run: it may be read as JSON.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  return new Promise((resolve, reject) => {
    keeper.on('message', (report) => {
      if (report.type === 'exited' && report.code === 0) resolve();
      if (report.type === 'failed' || (report.type === 'exited' && report.code !== 0)) {
        reject(
          new Error(
            `npm ${args.join(' ')} failed${report.reason ? `: ${report.reason}` : ''}; its messages are above.`,
          ),
        );
      }
    });
    keeper.once('exit', () => reject(new Error(`npm ${args.join(' ')} was ended.`)));
  });
}

function npmCommand() {
  const running = process.env.npm_execpath;
  return running !== undefined && basename(running) === 'npm-cli.js' ? [process.execPath, running] : ['npm'];
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
