import type { CoxswainClient } from '../client/coxswain-client.ts';
import type { ClusterReader } from '../contracts/cluster.ts';
import type { ReplayRange } from '../control/replay-deployment.ts';
import type { ReplayResult } from '../contracts/control.ts';
import type { ReportAddresses } from './report-view.ts';

/** A stream that text is written to, as `process.stdout` is. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(): boolean;
}

/** What a command works with; tests give their own. */
export interface CommandContext {
  readonly output: TextOutput;
  readonly errors: TextOutput;
  readonly readInput: () => Promise<string>;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Opens what the commands talk to. */
  open(): Promise<Session>;
  /** Opens a cluster to read. @throws CoxswainError CONFIG_INVALID for credentials that cannot be read. */
  openCluster(access: ClusterAccessOptions): Promise<ClusterReader>;
}

/** Which cluster a command is to read. */
export interface ClusterAccessOptions {
  /** Path; null = the one of the environment, else that of the user. */
  readonly kubeconfig: string | null;
  /** Null = the current one. */
  readonly context: string | null;
  readonly namespaces: readonly string[];
}

/** An open connection to Coxswain. */
export interface Session {
  readonly client: CoxswainClient;
  /** Commit to note in specs that name none. */
  readonly gitSha: string | null;
  readonly addresses: ReportAddresses;
  /** Computes the recorded decisions of a deployment again. REPLAY_DIFFERS. */
  replay(deployment: string, range: ReplayRange): Promise<ReplayResult>;
  /** Time between two looks at a run that is followed. Default 1000. */
  readonly intervalMs?: number;
  close(): Promise<void>;
}

/** Runs the work in a session and closes it, whatever happens. */
export async function withSession<T>(context: CommandContext, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await context.open();
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
