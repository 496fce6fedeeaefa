/** A run as the stand-in knows it. */
export interface WandbRun {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly entity: string;
  /** The arguments of the last UpsertBucket, laid over those before. */
  description: Record<string, unknown>;
  readonly history: string[];
  readonly events: string[];
  readonly output: string[];
  summary: Record<string, unknown>;
  readonly uploaded: string[];
  heartbeats: number;
  /** Somebody pressed Stop in the web interface. */
  stopRequested: boolean;
  isComplete: boolean;
  exitCode: number | null;
}

/** The runs of the stand-in, with the rules that their streams must keep. */
export class WandbRuns {
  private readonly runs = new Map<string, WandbRun>();
  /** What a client did that must never happen, one sentence each. */
  private readonly violations: string[];

  constructor(violations: string[]) {
    this.violations = violations;
  }

  get all(): readonly WandbRun[] {
    return [...this.runs.values()];
  }

  find(entity: string, project: string, name: string): WandbRun | null {
    return this.runs.get([entity, project, name].join('/')) ?? null;
  }

  upsert(
    entity: string,
    project: string,
    name: string,
    description: Record<string, unknown>,
  ): { run: WandbRun; inserted: boolean } {
    const key = [entity, project, name].join('/');
    const present = this.runs.get(key);
    const run = present ?? newRun(entity, project, name);
    run.description = { ...run.description, ...description };
    this.runs.set(key, run);
    return { run, inserted: present === undefined };
  }

  /** Forgets a run, as if somebody had deleted it in the web interface. */
  remove(run: WandbRun): void {
    this.runs.delete([run.entity, run.project, run.name].join('/'));
  }

  /** Takes a post to a run's stream. @returns a sentence when the real server would refuse it. */
  stream(run: WandbRun, body: Record<string, unknown>): string | null {
    const unknown = Object.keys(body).filter((key) => !streamKeys.includes(key));
    if (unknown.length > 0) return `unknown keys ${unknown.join(', ')}`;
    if (Object.keys(body).length === 0) run.heartbeats += 1;
    for (const [file, chunk] of Object.entries((body.files ?? {}) as Record<string, unknown>)) {
      const problem = this.take(run, file, chunk);
      if (problem !== null) return problem;
    }
    run.uploaded.push(...((body.uploaded ?? []) as string[]));
    if (body.complete !== true) return null;
    if (typeof body.exitcode !== 'number') return 'complete without an exit code';
    run.isComplete = true;
    run.exitCode = body.exitcode;
    return null;
  }

  private take(run: WandbRun, file: string, chunk: unknown): string | null {
    if (!isChunk(chunk)) return `${file}: not {offset, content: [text, …]}`;
    if (file === 'wandb-summary.json') {
      if (chunk.content.length !== 1) return 'the summary is one line';
      run.summary = JSON.parse(chunk.content[0]) as Record<string, unknown>;
      return null;
    }
    const lines = { 'wandb-history.jsonl': run.history, 'wandb-events.jsonl': run.events, 'output.log': run.output }[
      file
    ];
    if (lines === undefined) return `unknown file ${file}`;
    const where = `${run.name} ${file}`;
    if (chunk.offset > lines.length) this.violations.push(`${where}: a gap from ${lines.length} to ${chunk.offset}`);
    for (const [index, line] of chunk.content.entries()) this.put(where, lines, chunk.offset + index, line);
    return null;
  }

  private put(where: string, lines: string[], offset: number, line: string): void {
    const isRecord = !where.endsWith('output.log');
    if (isRecord && line.includes('\n')) this.violations.push(`${where}: line ${offset} holds a line end`);
    if (isRecord) JSON.parse(line);
    if (lines[offset] !== undefined && lines[offset] !== line)
      this.violations.push(`${where}: line ${offset} was ${lines[offset]} and is sent as ${line}`);
    lines[offset] = line;
  }
}

const streamKeys = ['files', 'uploaded', 'preempting', 'complete', 'exitcode', 'dropped'];

function isChunk(chunk: unknown): chunk is { offset: number; content: string[] } {
  const { offset, content } = (chunk ?? {}) as { offset?: unknown; content?: unknown };
  if (!Number.isInteger(offset) || (offset as number) < 0) return false;
  return Array.isArray(content) && content.every((line) => typeof line === 'string');
}

function newRun(entity: string, project: string, name: string): WandbRun {
  return {
    id: Buffer.from(`Run:v1:${name}:${project}:${entity}`).toString('base64'),
    name,
    project,
    entity,
    description: {},
    history: [],
    events: [],
    output: [],
    summary: {},
    uploaded: [],
    heartbeats: 0,
    stopRequested: false,
    isComplete: false,
    exitCode: null,
  };
}
