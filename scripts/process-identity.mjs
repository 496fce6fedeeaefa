// Plain JavaScript: the entry (Node 20) and the keeper use it as well as our TypeScript.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

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

/**
 * Number of the process that started `pid`; undefined when that cannot be known.
 * @param {number} pid
 * @returns {number | undefined}
 */
export function parentOf(pid) {
  const parent = Number(process.platform === 'linux' ? statFields(pid)?.[1] : ps(pid, 'ppid='));
  return Number.isInteger(parent) && parent > 0 ? parent : undefined;
}

/**
 * Name of the program that process `pid` runs, without its folder; empty when there is no such process.
 * @param {number} pid
 */
export function commandOf(pid) {
  return basename(ps(pid, 'comm=')).replace(/^-/, '');
}

/** @param {number} pid */
function startedAtFromProc(pid) {
  const fields = statFields(pid);
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${bootId()}:${fields[19]}`;
}

/**
 * The fields of /proc/PID/stat from the third one (state, parent, ...) on. The command name before them is in
 * parentheses and may itself hold spaces and parentheses.
 * @param {number} pid
 */
function statFields(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function bootId() {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** @param {number} pid */
function startedAtFromPs(pid) {
  const line = ps(pid, 'stat=,lstart=');
  return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
}

/**
 * @param {number} pid
 * @param {string} columns
 */
function ps(pid, columns) {
  try {
    return execFileSync('ps', ['-o', columns, '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}
