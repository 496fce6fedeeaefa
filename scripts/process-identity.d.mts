/** One process for ever: its number and when it started, so that a later process with the same number is another. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** When process `pid` started, as an opaque word; undefined when no such process runs (a zombie does not run). */
export function startedAt(pid: number): string | undefined;

/** This process. */
export function thisProcess(): ProcessIdentity;

/** True while exactly this process runs, not another one with its number. */
export function isRunning(identity: ProcessIdentity): boolean;

/** Number of the process that started `pid`; undefined when that cannot be known. */
export function parentOf(pid: number): number | undefined;

/** Name of the program that process `pid` runs, without its folder; empty when there is no such process. */
export function commandOf(pid: number): string;
