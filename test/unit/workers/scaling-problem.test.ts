import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunSpec } from '../../../src/contracts/run-spec.ts';
import { encodeRecording } from '../../../src/recordings/recording.ts';
import type { ScalingTask } from '../../../src/rl/environments/scaling-environment.ts';
import { GLOBAL } from '../../../src/rl/environments/service-graph/description.ts';
import { exampleTwin } from '../../../src/rl/environments/twin/example-twin.ts';
import { graphParts } from '../../../src/rl/graph-layout.ts';
import { encodeTwin } from '../../../src/rl/twin/twin-bytes.ts';
import type { Twin } from '../../../src/rl/twin/twin.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';
import { createProblem } from '../../../workers/numeric/scaling-problem.ts';

const binSeconds = 15;
const parts = { train: { from: 0, to: 240 }, validate: { from: 240, to: 320 }, heldOut: { from: 320, to: 400 } };
const recording = encodeRecording({
  ...{ source: 'test', seed: 1, binSeconds, parts },
  repairs: { interpolatedBins: 0, summedDuplicates: 0 },
  arrivals: new Uint32Array(400).fill(900),
});

function specFor(name: string): RunSpec {
  return parseRunSpec({
    ...{ version: 1, name: 'clock', environment: { name, parameters: { episodeSteps: 20 } } },
    evaluate: { validationEpisodes: 2, heldOutEpisodes: 2, hpaTargetsPercent: [60] },
  });
}

/** Hour that an agent sees when it begins at the first bin of a part. */
function hourAtBegin({ createForAgent }: ScalingTask): number {
  const environment = createForAgent();
  const { observation } = environment.resetAt(0, 1);
  const { globals } = graphParts(environment.description.graph!);
  const [sine, cosine] = [observation[globals + GLOBAL.timeSine], observation[globals + GLOBAL.timeCosine]];
  return ((Math.atan2(sine, cosine) / (2 * Math.PI)) * 24 + 24) % 24;
}

function assertHours(twin: Uint8Array | null, name: string, expected: readonly number[]): void {
  const problem = createProblem(specFor(name), recording, parts, twin);
  const hours = [problem.train, problem.validate.task, problem.heldOut().task].map(hourAtBegin);
  hours.forEach((hour, i) => assert.ok(Math.abs(hour - expected[i]) < 1e-3, `${hours.join()} are ${expected.join()}`));
}

test('each part of a recording has its own time of the day', () => {
  assertHours(null, 'service-graph', [0, 1, 80 / 60]);
});

test("a twin's time of the day is that of the cluster that was recorded", () => {
  const report = { fitted: parts.train, judged: parts.validate, services: [], p95Error: null, notes: [] };
  const twin: Twin = { version: 1, startSeconds: Date.UTC(2026, 10, 2, 13, 30) / 1000, ...exampleTwin, report };
  assertHours(encodeTwin(twin), 'twin-graph', [13.5, 14.5, 13.5 + 80 / 60]);
});
