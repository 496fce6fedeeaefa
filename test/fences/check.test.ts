import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ESLint } from 'eslint';

const root = join(import.meta.dirname, '..', '..');

/** What `npm run check` consists of; the imports have a test of their own. */
const parts = {
  types: ['typescript/bin/tsc', '--noEmit'],
  lint: ['eslint/bin/eslint.js', '.'],
  format: ['prettier/bin/prettier.cjs', '--check', '.'],
};

for (const [part, [program, ...args]] of Object.entries(parts)) {
  test(`npm run check:${part} is green`, async () => {
    const complaints = await run(join(root, 'node_modules', program), args);
    if (complaints !== undefined) assert.fail(complaints);
  });
}

/** What a program printed when it failed; undefined when it did not. */
function run(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: root, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve(error === null ? undefined : `${error.message}\n${stdout}${stderr}`);
    });
  });
}

test('reading process.env outside config/ is red', async () => {
  const eslint = new ESLint({ cwd: root });
  const [result] = await eslint.lintText('export const secret = process.env.SECRET;\n', {
    filePath: join(root, 'src', 'contracts', 'errors.ts'),
  });
  assert.match(result.messages.map(({ message }) => message).join(), /config\//);
});

test('a forgotten await is red', async () => {
  const eslint = new ESLint({ cwd: root });
  const text = 'const work = async () => 1;\nexport const start = () => {\n  work();\n};\n';
  const [result] = await eslint.lintText(text, { filePath: join(root, 'src', 'contracts', 'errors.ts') });
  assert.ok(result.messages.some(({ ruleId }) => ruleId === '@typescript-eslint/no-floating-promises'));
});
