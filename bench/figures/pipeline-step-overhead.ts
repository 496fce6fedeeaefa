import { stepNames } from '../../src/contracts/runs.ts';
import { createWorkflowFixture, fakeActivities } from '../../test/workflows/pipeline-fixture.ts';
import type { Figure } from '../figure.ts';

const runs = 12;

/**
 * What a step of a run costs beside its work: the time of a run on the real server whose activities end at once, per
 * step, with its child workflow, its records and its report. The first run, which loads the code, is left out.
 */
export const pipelineStepOverhead: Figure = {
  name: 'pipeline_step_overhead_ms',
  unit: 'ms',
  async measure() {
    const fixture = await createWorkflowFixture();
    const start = await fixture.serve(fakeActivities([]));
    const times: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const startedMs = performance.now();
      await (await start()).result();
      times.push((performance.now() - startedMs) / stepNames.length);
    }
    await fixture.stop();
    return times.slice(1);
  },
};
