import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OptionalProgram } from '../local-services/programs-or-skip.ts';
import { optionalPrograms } from '../local-services/programs-or-skip.ts';

/** Paths of all test files on disk, relative to the project, slowest folders first so that the machine stays busy. */
export function testFiles(root: string): string[] {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map((path) => join('test', path).replaceAll('\\', '/'));
  return files.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

function rank(path: string): number {
  const slowFirst = ['test/fences/', 'test/integration/', 'test/workflows/', 'test/activities/', 'test/replay/'];
  const index = slowFirst.findIndex((folder) => path.startsWith(folder));
  return index === -1 ? slowFirst.length : index;
}

/** True when the file asks for the shared servers. */
export function needsServices(root: string, path: string): boolean {
  return readFileSync(join(root, path), 'utf8').includes('local-services/test-services');
}

/** The programs that the files, or what they import of ours, ask for by `programsOrSkip('NAME')`. */
export function neededPrograms(root: string, paths: readonly string[]): OptionalProgram[] {
  const texts = new Map<string, string>();
  for (const path of paths) readWithImports(root, path, texts);
  const all = [...texts.values()].join('\n');
  return optionalPrograms.filter((name) => all.includes(`programsOrSkip('${name}')`));
}

/** The product's own code is left out: nothing of it asks for a test's programs. */
function readWithImports(root: string, path: string, texts: Map<string, string>): void {
  if (texts.has(path) || !/^(test|scripts)[\\/]/.test(path) || !existsSync(join(root, path))) return;
  const text = readFileSync(join(root, path), 'utf8');
  texts.set(path, text);
  for (const [, imported] of text.matchAll(/ from '(\.[^']*\.ts)'/g)) {
    readWithImports(root, join(dirname(path), imported!), texts);
  }
}
