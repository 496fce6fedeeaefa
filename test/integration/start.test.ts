import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startedAt } from '../../scripts/process-identity.mjs';
import { smallSpec } from './small-pipeline.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'coxswain-start-'));
const dataFolder = join(folder, '.coxswain');
const patience = {
  timeout: 240_000,
  skip: process.platform === 'linux' ? false : 'optional: the processes are looked up in /proc',
};

const notCopied = ['node_modules', '.git', '.coxswain', 'dist', 'test'];
for (const name of readdirSync(root).filter((entry) => !notCopied.includes(entry))) {
  cpSync(join(root, name), join(folder, name), { recursive: true });
}
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
// JSON is YAML: the bundled pipeline of this copy is over in seconds.
writeFileSync(join(folder, 'config', 'pipelines', 'online-boutique.yaml'), JSON.stringify(smallSpec));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  /** Resolves to the exit code, or the signal's name. */
  readonly ended: Promise<number | string | null>;
}

/** `npm start` as npm does it: a shell that starts the entry. */
function start(...args: string[]): Started {
  const child = spawn('sh', ['-c', `node scripts/start.mjs ${args.join(' ')}; exit $?`], {
    cwd: folder,
    // Nothing of the machine's own services, and nothing of the test run's.
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      COXSWAIN_CACHE: process.env.COXSWAIN_CACHE,
      npm_lifecycle_event: 'start',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  );
  return { child, output, ended };
}

async function until(condition: () => boolean, { output, ended }: Started, what: string): Promise<void> {
  let over = false;
  void ended.then(() => (over = true));
  while (!condition()) {
    assert.ok(!over, `ended before ${what}: ${output.stdout}${output.stderr}`);
    await sleep(50);
  }
}

/** Every process that works in the copy. */
function processesOfTheCopy(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(
      (pid) => pid > 0 && pid !== process.pid && startedAt(pid) !== undefined && commandLine(pid).includes(folder),
    );
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function untilNothingRuns(): Promise<void> {
  for (let waited = 0; waited < 400 && processesOfTheCopy().length > 0; waited++) await sleep(50);
  assert.deepEqual(processesOfTheCopy().map(commandLine), []);
}

const isUp = () => existsSync(join(dataFolder, 'services.json'));
const services = () => JSON.parse(readFileSync(join(dataFolder, 'services.json'), 'utf8')) as Record<string, string>;

test(
  'one command runs the pipeline, prints the report as the last line, and leaves nothing running',
  patience,
  async () => {
    const started = start('--once', '--json');
    assert.equal(await started.ended, 0, started.output.stderr);
    const lines = started.output.stdout.trimEnd().split('\n');
    const report = JSON.parse(lines[lines.length - 1]);
    assert.equal(report.status, 'completed');
    assert.deepEqual(
      ['policy', 'hpa-calibrated', 'fixed'].filter(
        (name) => !report.results.some((result: { controller: string }) => result.controller === name),
      ),
      [],
    );
    assert.equal(typeof report.gate.passed, 'boolean');
    assert.equal(report.model.version, 1);
    assert.match(started.output.stderr, /Temporal Web UI/);
    await untilNothingRuns();
  },
);

test('Ctrl-C stops everything that it started, and a second start beside it says what runs', patience, async () => {
  const started = start('--no-run');
  await until(isUp, started, 'it was up');
  const { apiUrl, temporalUiUrl } = services();
  assert.equal((await fetch(`${apiUrl}/healthz`)).status, 200);
  assert.equal((await fetch(temporalUiUrl)).status, 200);
  const second = start('--once');
  assert.equal(await second.ended, 1);
  assert.match(second.output.stdout, new RegExp(`already running from this folder .*${apiUrl}`));
  process.kill(Number(services().pid), 'SIGINT');
  assert.equal(await started.ended, 0);
  assert.equal(isUp(), false);
  await untilNothingRuns();
});

test('kill -9 of npm ends everything in good order', patience, async () => {
  const started = start('--no-run');
  await until(isUp, started, 'it was up');
  // Stands for npm and its shell: the entry watches both.
  started.child.kill('SIGKILL');
  await untilNothingRuns();
  assert.equal(isUp(), false);
});

test('kill -9 of the start itself ends everything, and the next start comes up', patience, async () => {
  const started = start('--no-run');
  await until(isUp, started, 'it was up');
  process.kill(Number(services().pid), 'SIGKILL');
  await started.ended;
  await untilNothingRuns();
  rmSync(join(dataFolder, 'services.json'));
  const next = start('--no-run');
  await until(isUp, next, 'it was up again');
  process.kill(Number(services().pid), 'SIGTERM');
  assert.equal(await next.ended, 0);
  await untilNothingRuns();
});

test('a wrong option is refused with its usage and exit code 2', patience, async () => {
  const started = start('--onec');
  assert.equal(await started.ended, 2);
  assert.match(started.output.stderr, /Usage: npm start/);
});
