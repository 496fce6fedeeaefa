import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { onlineBoutiqueApplication } from '../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { Load, traceProfile } from '../../../src/twin-load/load.ts';
import { parseApplication } from '../../../src/twin-load/parse-application.ts';
import { readTrace } from '../../../src/twin-load/read-trace.ts';
import { StepClock } from '../../../src/twin-load/step-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-twin-load-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const path = join(folder, 'trace.csv');
  writeFileSync(path, text);
  return path;
}

test('a trace gives each bin its rate, and begins again after its end', () => {
  const rate = traceProfile([30, 60, 0], 15);
  assert.deepEqual([0, 14.9, 15, 30, 45, 60].map(rate), [2, 2, 4, 0, 2, 4]);
});

test('a flash crowd multiplies the rate to its peak and goes away; a fixed rate overrules everything', () => {
  const load = new Load(() => 40, [{ peak: 3, atSeconds: 100, minutes: 5 }]);
  assert.deepEqual(
    [99, 100, 145, 400, 1000].map((at) => Math.round(load.rateAt(at))),
    [40, 40, 120, 40, 40],
  );
  load.addCrowd({ peak: 2, atSeconds: 100, minutes: 5 }, 100);
  assert.equal(load.rateAt(145), 120);
  load.fix(7);
  assert.equal(load.rateAt(145), 7);
  load.fix(null);
  assert.equal(load.rateAt(145), 120);
});

test('a trace file may have a header, a column by name, and says where it is wrong', async () => {
  assert.deepEqual([...(await readTrace(fileWith('3\n4.5\n'), null))], [3, 4.5]);
  assert.deepEqual(
    [...(await readTrace(fileWith('time,requests\n1998-04-30 21:30:00,2\n1998-04-30 21:31:00,11\n'), null))],
    [2, 11],
  );
  assert.deepEqual([...(await readTrace(fileWith('requests,other\n5,x\n6,y\n'), 'requests'))], [5, 6]);
  for (const [text, column, message] of [
    ['time,requests\n1,2\n2,many\n', null, /line 3: found "many"; expected a number/],
    ['a,b\n1,2\n', 'requests', /line 1: found the columns "a", "b"; expected one called "requests"/],
    ['1\n-2\n', null, /line 2: found -2; expected a number that is not negative/],
    ['header\n', null, /has no bin/],
  ] as const) {
    await assert.rejects(readTrace(fileWith(text), column), message);
  }
  await assert.rejects(readTrace(join(folder, 'absent.csv'), null), /absent\.csv: cannot be read \(ENOENT\)/);
});

test('an application or a fitted twin is read from JSON, and refused with what is wrong', () => {
  const text = JSON.stringify(onlineBoutiqueApplication);
  assert.deepEqual(parseApplication(text, 'a.json'), onlineBoutiqueApplication);
  assert.deepEqual(parseApplication(`{"application": ${text}, "error": 0.1}`, 'a.json'), onlineBoutiqueApplication);
  for (const [wrong, message] of [
    ['{', /a\.json: it is not JSON/],
    ['[]', /found no JSON object/],
    ['{"services": [{}], "requests": []}', /services must be a list of objects, each with a name/],
    [`{"services": [{"name": "a"}], "requests": [{"name": "r", "weight": 1}]}`, /each with a name and a call/],
    [
      `{"services": [{"name": "a"}], "requests": [{"name": "r", "weight": 1, "call": {"service": "a"}}]}`,
      /service "a": serversPerPod must be a whole number/,
    ],
  ] as const) {
    assert.throws(() => parseApplication(wrong, 'a.json'), message);
  }
});

test('steps come on their grid; a short delay is caught up, a long sleep is left out', () => {
  const clock = new StepClock(100, 1000);
  assert.deepEqual([clock.take(1000), clock.untilNext(1000), clock.share(1000)], [1, 100, 0]);
  assert.deepEqual([clock.take(1050), clock.untilNext(1050), clock.share(1050)], [0, 50, 0.5]);
  assert.deepEqual([clock.take(1430), clock.untilNext(1430)], [4, 70]);
  assert.equal(clock.skippedMs, 0);
  assert.equal(clock.take(61_410), 12);
  assert.equal(clock.skippedMs, 58_800);
  assert.deepEqual([clock.untilNext(61_410), clock.take(61_500)], [90, 1]);
});
