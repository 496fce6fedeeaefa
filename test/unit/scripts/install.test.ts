import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isComplete } from '../../../scripts/install.mjs';

const root = join(import.meta.dirname, '../../..');
const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

type Packages = Record<string, object>;

/** A project whose lockfile asks for `locked` and whose node_modules hold `installed`. */
function project(locked: Packages, installed: Packages | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-install-'));
  folders.push(folder);
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...locked } }));
  if (installed === undefined) return folder;
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
  return folder;
}

const zod = { version: '4.0.0', integrity: 'sha512-a' };
const elsewhere = { version: '1.0.0', integrity: 'sha512-b', optional: true, os: ['plan9'] };

test('without node_modules the install is not complete', () => {
  assert.equal(isComplete(project({ 'node_modules/zod': zod }, undefined)), false);
});

test('the install is complete when every locked package is there', () => {
  assert.equal(isComplete(project({ 'node_modules/zod': zod }, { 'node_modules/zod': zod })), true);
});

test('another version, or the same version with other content, is not complete', () => {
  const locked = { 'node_modules/zod': zod };
  assert.equal(isComplete(project(locked, { 'node_modules/zod': { ...zod, version: '4.0.1' } })), false);
  assert.equal(isComplete(project(locked, { 'node_modules/zod': { ...zod, integrity: 'sha512-c' } })), false);
});

test('an optional package of another platform may be missing, one of this platform may not', () => {
  assert.equal(isComplete(project({ 'node_modules/elsewhere': elsewhere }, {})), true);
  const here = { ...elsewhere, os: [process.platform], cpu: [process.arch] };
  assert.equal(isComplete(project({ 'node_modules/here': here }, {})), false);
  assert.equal(isComplete(project({ 'node_modules/here': { ...here, cpu: [`!${process.arch}`] } }, {})), true);
});

test('the lockfile of the pinned Node names the version that the project locks', () => {
  const json = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const { version } = json('package-lock.json').packages['node_modules/node'];
  assert.equal(json('package.json').devDependencies.node, version);
  const { packages } = json('scripts/node-runtime/package-lock.json');
  for (const platform of ['linux-x64', 'linux-arm64']) {
    assert.equal(packages[`node_modules/node-${platform}`].version, version);
    assert.match(packages[`node_modules/node-${platform}`].integrity, /^sha512-/);
  }
});

test('no lockfile names the address of a registry', () => {
  for (const path of ['package-lock.json', 'scripts/node-runtime/package-lock.json']) {
    assert.doesNotMatch(readFileSync(join(root, path), 'utf8'), /"resolved"/);
  }
});
