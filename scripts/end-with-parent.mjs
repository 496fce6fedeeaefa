// Plain JavaScript: the entry (Node 20) uses it, and `node --import` of it ties any process of ours to its parent.
//
// Importing it makes this process send itself SIGTERM, and so stop in good order, when whoever started it is gone:
// 1. its IPC channel, where it has one, closes;
// 2. its parent ends. Under `npm run` the parent is a shell that outlives a killed npm, so npm itself is watched too.
import { commandOf, parentOf, startedAt } from './process-identity.mjs';

const pollMs = 500;
const shells = ['sh', 'bash', 'dash', 'zsh', 'ksh', 'ash', 'busybox'];

const underNpm = process.env.npm_lifecycle_event !== undefined;
const npm = underNpm && shells.includes(commandOf(process.ppid)) ? parentOf(process.ppid) : undefined;
const watched = [process.ppid, npm]
  .filter((pid) => pid !== undefined && pid > 1)
  .map((pid) => ({ pid, startedAt: startedAt(pid) }));

let ending = false;
function end() {
  if (ending) return;
  ending = true;
  process.kill(process.pid, 'SIGTERM');
}

setInterval(() => {
  if (watched.some(({ pid, startedAt: start }) => startedAt(pid) !== start)) end();
}, pollMs).unref();

if (process.channel !== undefined) {
  process.on('disconnect', end);
  process.channel.unref();
}
