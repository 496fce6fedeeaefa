// The keeper owns one foreign program and ends it when whoever started the keeper is gone: foreign programs do not
// watch their parent, so they would live on after `kill -9` of ours.
//
// Usage: node keeper.mjs '<KeeperTask as JSON>' with an IPC channel.
//
// 1. The record is written before anything else can happen to the program, so that a killed keeper leaves a trace
//    that the next start can clean up; it is removed after the program's end.
// 2. The program ends on SIGTERM, then on SIGKILL after task.stopTimeoutMs.
// 3. Its standard input is a pipe from the keeper: a program that watches it ends even when the keeper is killed; for
//    the others Linux itself is asked to send SIGTERM when the keeper dies (`setpriv --pdeathsig`), where it is there.
// 4. At the end the whole process group goes, so that nothing that the program started is left.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { startedAt, thisProcess } from '../process-identity.mjs';

/**
 * @typedef {object} KeeperTask
 * @property {string} name
 * @property {string} command absolute path of the program
 * @property {string[]} args
 * @property {string} workingFolder
 * @property {string} recordFile
 * @property {{pid: number, startedAt: string}} owner the process that started the keeper
 * @property {number} stopTimeoutMs
 */

/** @type {KeeperTask} */
const task = JSON.parse(process.argv[2]);
const [command, ...args] = [...diesWithKeeper(), task.command, ...task.args];
let stopping = false;

const program = spawn(command, args, { cwd: task.workingFolder, stdio: ['pipe', 'inherit', 'inherit'] });
program.once('error', (error) => end({ type: 'failed', reason: error.message }));
program.once('exit', (code, signal) => end({ type: 'exited', code, signal }));
// Writing into a pipe whose reader is gone must not end the keeper before the program is waited for.
program.stdin.on('error', () => undefined);
if (program.pid !== undefined) {
  writeRecord(program.pid);
  process.send?.({ type: 'started', pid: program.pid });
}

process.on('disconnect', stop);
process.on('SIGTERM', stop);
process.on('SIGINT', () => undefined);
process.on('SIGHUP', stop);
process.on('message', (message) => {
  if (message === 'stop') stop();
  if (message === 'kill') program.kill('SIGKILL');
});
// The owner may have died before this process listened: its channel then closed unheard.
if (!process.connected) stop();

function stop() {
  if (stopping) return;
  stopping = true;
  program.kill('SIGTERM');
  setTimeout(() => program.kill('SIGKILL'), task.stopTimeoutMs).unref();
}

/** The words before a command line that tie the program's life to the keeper's; none where that cannot be had. */
function diesWithKeeper() {
  const prefix = ['setpriv', '--pdeathsig', 'TERM', '--'];
  if (process.platform !== 'linux') return [];
  return spawnSync(prefix[0], [...prefix.slice(1), 'true'], { stdio: 'ignore' }).status === 0 ? prefix : [];
}

function writeRecord(pid) {
  mkdirSync(dirname(task.recordFile), { recursive: true });
  const record = {
    name: task.name,
    command: task.command,
    program: { pid, startedAt: startedAt(pid) ?? '' },
    keeper: thisProcess(),
    owner: task.owner,
  };
  const draft = `${task.recordFile}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(record, null, 2));
  renameSync(draft, task.recordFile);
}

function end(report) {
  rmSync(task.recordFile, { force: true });
  if (process.connected) process.send(report, endGroup);
  else endGroup();
}

/** The keeper leads its process group, so this ends whatever the program left running, and then the keeper. */
function endGroup() {
  process.kill(-process.pid, 'SIGKILL');
}
