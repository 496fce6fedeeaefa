/** Least grave first. */
const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

/** Structured log. Fields must be JSON and hold no secret. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** One JSON object a line: `at`, `level`, `message` and the fields. */
export function createJsonLog(least: LogLevel, write: (line: string) => void): Log {
  return (level, message, fields = {}) => {
    if (levels.indexOf(level) < levels.indexOf(least)) return;
    write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...fields })}\n`);
  };
}
