import type { BinRange } from '../../contracts/stores.ts';
import type { Application } from '../environments/online-boutique/application.ts';
import type { GraphApplication } from '../environments/service-graph/graph-application.ts';

/** A simulator fitted to a recording, with what is known of how good it is. Plain JSON. */
export interface Twin {
  /** Version of this format. */
  readonly version: 1;
  /** When the recording begins, seconds since 1970; absent in twins from before it was kept. */
  readonly startSeconds?: number;
  /** Every service of the recording; the entry first. */
  readonly application: Application;
  /** The same with services that were there only part of the time as features. */
  readonly graph: GraphApplication;
  /** Features that came or went in an hour of the recording. */
  readonly changesPerHour: number;
  readonly report: TwinReport;
}

/** What environments need of a twin. */
export type FittedApplications = Pick<Twin, 'application' | 'graph' | 'changesPerHour'>;

/** How a twin's predictions compare with a part of the recording that it was not fitted on. */
export interface TwinReport {
  readonly fitted: BinRange;
  readonly judged: BinRange;
  readonly services: readonly ServiceFit[];
  /** Error of the users' 95th percentile; null when it was not recorded. */
  readonly p95Error: number | null;
  /** What could not be told from the recording, a sentence each. */
  readonly notes: readonly string[];
}

/** Where the number of servers of a pod comes from. */
export type ServersFrom = 'saturation' | 'cpu-limit' | 'cpu-request' | 'prior';

/** One service's fit. Errors are those of {@link relativeError}, 0 … 1; null = there is nothing to compare with. */
export interface ServiceFit {
  readonly service: string;
  readonly cpuError: number | null;
  readonly callsError: number | null;
  readonly latencyError: number | null;
  readonly serversFrom: ServersFrom;
  /** What was taken instead of what the recording does not tell, a sentence each. */
  readonly notes: readonly string[];
}
