import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { obtainForTests, programsOrSkip } from '../../../../scripts/local-services/programs-or-skip.ts';

/** Named apart from the call, so that `npm test` does not obtain them for this file. */
const [kubernetes, helm] = ['kubernetes', 'helm'] as const;

test('programs that cannot be had are a reason to skip on one line, which other processes are told', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-or-skip-'));
  const { PATH: path, COXSWAIN_CACHE: cache } = process.env;
  t.after(() => {
    process.env.PATH = path;
    if (cache === undefined) delete process.env.COXSWAIN_CACHE;
    else process.env.COXSWAIN_CACHE = cache;
    delete process.env.COXSWAIN_TEST_WITHOUT_HELM;
    rmSync(folder, { recursive: true });
  });
  process.env.PATH = process.env.COXSWAIN_CACHE = folder;
  const said: string[] = [];

  const { programs, skip } = await programsOrSkip(kubernetes);
  assert.equal(programs, undefined);
  assert.match(String(skip), /^optional: The Kubernetes control plane could not be obtained.*no `go` on PATH.*$/);

  const missing = await obtainForTests([helm], (line) => said.push(line));
  assert.deepEqual(Object.keys(missing), ['COXSWAIN_TEST_WITHOUT_HELM']);
  assert.match(said.at(-1)!, /^Tests that need helm are skipped\. .*could not be obtained/);
  process.env.PATH = path;
  Object.assign(process.env, missing);
  const again = await programsOrSkip(helm);
  assert.equal(again.skip, missing.COXSWAIN_TEST_WITHOUT_HELM, 'the failure is not tried again');
});
