import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs `node` with `args` in place of this process: same terminal, signals passed on. Resolves to its exit code. The
 * child has a channel to this process by which it can tell that this process is gone.
 * @param {string} node
 * @param {string[]} args
 * @returns {Promise<number>}
 */
export function runUnder(node, args) {
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}
