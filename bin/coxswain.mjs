#!/usr/bin/env node
// The coxswain command. In an installed package it is JavaScript in dist/; in the project it is TypeScript, which needs
// Node 24, and nothing has to be built.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runUnder } from './run-under.mjs';

const root = dirname(import.meta.dirname);
const source = join(root, 'src', 'cli', 'main.ts');
const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node');
const runsTypeScript = Number(process.versions.node.split('.')[0]) >= 24;

if (!existsSync(source)) {
  await import(pathToFileURL(join(root, 'dist', 'src', 'cli', 'main.js')).href);
} else if (runsTypeScript) {
  await import(pathToFileURL(source).href);
} else if (existsSync(pinnedNode)) {
  const tied = `--import=${join(root, 'scripts', 'end-with-parent.mjs')}`;
  process.exitCode = await runUnder(pinnedNode, [tied, source, ...process.argv.slice(2)]);
} else {
  process.stderr.write(`coxswain in the project needs Node 24. Run \`npm ci\` in ${root} first; it brings it.\n`);
  process.exitCode = 1;
}
