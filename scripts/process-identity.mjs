// Plain JavaScript: the entry (Node 20) and the keeper use it as well as our TypeScript.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When process `pid` started, as an opaque word that differs for another process that got the same number later, also
 * after a reboot; undefined when no such process runs (a zombie does not run).
 * @param {number} pid
 * @returns {string | undefined}
 */
export function startedAt(pid) {
  return process.platform === 'linux' ? startedAtFromProc(pid) : startedAtFromPs(pid);
}

/** This process. */
export function thisProcess() {
  return { pid: process.pid, startedAt: startedAt(process.pid) ?? '' };
}

/**
 * True while exactly this process runs, not another one with its number.
 * @param {{pid: number, startedAt: string}} identity
 */
export function isRunning(identity) {
  return startedAt(identity.pid) === identity.startedAt;
}

/** @param {number} pid */
function startedAtFromProc(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name is in parentheses and may itself hold spaces and parentheses: the fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    return state === 'Z' || state === 'X' ? undefined : `${bootId()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

function bootId() {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** @param {number} pid */
function startedAtFromPs(pid) {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
  } catch {
    return undefined;
  }
}
