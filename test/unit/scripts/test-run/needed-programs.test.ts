import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { neededPrograms } from '../../../../scripts/test-run/test-files.ts';

/** Apart from its argument, so that this file does not itself ask. */
const asks = 'programsOrSkip';
const root = join(import.meta.dirname, '../../../..');

test('programs are needed by files that ask for them, themselves or through what they import', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-needed-'));
  t.after(() => rmSync(folder, { recursive: true }));
  write(folder, 'test/none.test.ts', "import assert from 'node:assert';");
  write(folder, 'test/asks.test.ts', `const { skip } = await ${asks}('helm');`);
  write(folder, 'test/through.test.ts', "import { start } from './fixtures/cluster.ts';");
  write(folder, 'test/fixtures/cluster.ts', `import { x } from '../through.test.ts';\n${asks}('kubernetes');`);
  assert.deepEqual(neededPrograms(folder, ['test/none.test.ts']), []);
  assert.deepEqual(neededPrograms(folder, ['test/none.test.ts', 'test/asks.test.ts']), ['helm']);
  assert.deepEqual(neededPrograms(folder, ['test/through.test.ts']), ['kubernetes']);
});

test('a test of the local control plane needs its programs; one that names nothing of the kind does not', () => {
  assert.deepEqual(neededPrograms(root, ['test/integration/kubernetes-cluster.test.ts']), ['kubernetes']);
  assert.deepEqual(neededPrograms(root, ['test/unit/scripts/local-services/obtain-go-programs.test.ts']), []);
});

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
