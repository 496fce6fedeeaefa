import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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
