import type { MirrorPorts } from './mirror-ports.ts';
import { TrackedRun } from './tracked-run.ts';
import { pipelineRun, trackedRunsOf } from './tracked-run-names.ts';
import type { Warnings } from './warnings.ts';

/** The tracked runs of one Coxswain run; they grow with its series. */
export class TrackedRuns {
  readonly runId: string;
  private readonly ports: MirrorPorts;
  private readonly warnings: Warnings;
  private readonly runs = new Map<string, TrackedRun>();

  constructor(ports: MirrorPorts, runId: string, warnings: Warnings) {
    this.ports = ports;
    this.runId = runId;
    this.warnings = warnings;
  }

  /** In the order in which they were found; the pipeline's own is the first. */
  get list(): readonly TrackedRun[] {
    return [...this.runs.values()];
  }

  /** Opens those that are new. @throws the store's errors. */
  async discover(): Promise<void> {
    const { store } = this.ports;
    for (const name of [pipelineRun, ...trackedRunsOf(await store.metrics.listSeries(this.runId))]) {
      if (this.runs.has(name.member)) continue;
      this.runs.set(name.member, await TrackedRun.open(this.ports, this.runId, name, this.warnings.add));
    }
  }
}
