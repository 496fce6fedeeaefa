import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseArgs, promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

/**
 * `npm run bench:peers [-- FIGURE…] [--rounds N] [--seconds S]`: our figures against stable-baselines3's on the same
 * machine, in turns, so that what else the machine does meets both. One JSON line a figure; stable-baselines3 runs with
 * one and with two threads and the better one counts. Python 3.10 or newer is needed; the first run installs the pinned
 * packages (some gigabytes) into bench/peers/.venv, or `--python PATH` names an interpreter that has them.
 */

/** Figures that both sides measure, and the ratio to reach. */
const wanted: Readonly<Record<string, number>> = {
  ppo_cartpole_steps_per_second_1env: 10,
  ppo_cartpole_steps_per_second_8env: 10,
  masked_ppo_steps_per_second_1env: 8,
  masked_ppo_steps_per_second_8env: 6,
  dqn_cartpole_steps_per_second: 8,
  sac_pendulum_steps_per_second: 2.5,
};

const run = promisify(execFile);
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    python: { type: 'string' },
  },
});
const unknown = positionals.filter((name) => !Object.hasOwn(wanted, name));
const rounds = Number(values.rounds);
if (unknown.length > 0 || !(Number.isInteger(rounds) && rounds > 0 && Number(values.seconds) > 0)) {
  process.stderr.write(`Usage: npm run bench:peers [-- FIGURE…] [--rounds N] [--seconds S] [--python PATH]
Figures: ${Object.keys(wanted).join(', ')}\n`);
  process.exit(2);
}
const python = values.python ?? (await ownPython());
for (const figure of positionals.length > 0 ? positionals : Object.keys(wanted)) {
  process.stdout.write(`${JSON.stringify(await compared(figure))}\n`);
}

/** The interpreter of our own environment, made when it is missing. */
async function ownPython(): Promise<string> {
  const path = here('.venv/bin/python');
  if (existsSync(path)) return path;
  process.stderr.write('Installing stable-baselines3 into bench/peers/.venv …\n');
  await run('python3', ['-m', 'venv', here('.venv')], { timeout: 120_000 });
  await run(path, ['-m', 'pip', 'install', '--quiet', '--requirement', here('requirements.txt')], {
    timeout: 1_800_000,
  });
  return path;
}

async function compared(figure: string): Promise<object> {
  const ours: number[] = [];
  const peers: Record<'1' | '2', number[]> = { 1: [], 2: [] };
  let versions: unknown = null;
  for (let round = 0; round < rounds; round++) {
    ours.push((await measuredByUs(figure)).value);
    for (const threads of ['1', '2'] as const) {
      const measured = await measuredByPeer(figure, threads);
      peers[threads].push(measured.value);
      versions = measured.versions;
    }
  }
  const peer = Math.max(median(peers[1]), median(peers[2]));
  const threads = median(peers[1]) >= median(peers[2]) ? 1 : 2;
  return {
    name: `${figure}_ratio`,
    value: Number((median(ours) / peer).toFixed(2)),
    unit: '×',
    wanted: wanted[figure],
    ours: Math.round(median(ours)),
    peer: Math.round(peer),
    peerThreads: threads,
    n: rounds,
    versions,
  };
}

async function measuredByUs(figure: string): Promise<{ value: number }> {
  const { stdout } = await run(process.execPath, [here('../main.ts'), figure], { timeout: 300_000 });
  return JSON.parse(stdout) as { value: number };
}

async function measuredByPeer(figure: string, threads: string): Promise<{ value: number; versions: unknown }> {
  const { stdout } = await run(python, [here('measure.py'), figure, threads, values.seconds], { timeout: 300_000 });
  return JSON.parse(stdout) as { value: number; versions: unknown };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
