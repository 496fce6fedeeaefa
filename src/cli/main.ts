/** The coxswain command. */
import { text } from 'node:stream/consumers';
import { openSession } from './command-context.ts';
import { runProgram } from './program.ts';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A second wish is not a polite one.
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort();
  });
}
// A reader that has seen enough, as `head` has, is no error.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runProgram(
  {
    output: process.stdout,
    errors: process.stderr,
    readInput: () => text(process.stdin),
    interrupted: interrupt.signal,
    open: openSession,
  },
  process.argv.slice(2),
);
// Sockets that are being closed must not hold the command up.
process.stdout.write('', () => process.exit());
