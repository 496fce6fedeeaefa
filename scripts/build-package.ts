/**
 * `node scripts/build-package.ts` (npm runs it before `npm pack` and `npm publish`): compiles the product into dist/,
 * JavaScript with types, because Node runs no TypeScript inside node_modules. The rooms keep their places relative to
 * each other, so that programs which start one another by path find each other in both forms.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [compiler, '--project', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
copyData(join(root, 'config'), join(dist, 'config'));

/** What the programs read beside their code: the bundled pipelines and schemas. */
function copyData(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => statSync(path).isDirectory() || !path.endsWith('.ts') });
}
