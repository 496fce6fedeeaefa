// Plain JavaScript that Node 20 runs: the way into `npm start` and `npm test`.
import { realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runUnder } from '../bin/run-under.mjs';
import { install } from './install.mjs';

const oldestNode = [20, 19];
const root = dirname(import.meta.dirname);
const tiedToParent = `--import=${join(import.meta.dirname, 'end-with-parent.mjs')}`;

/**
 * Installs what is missing and goes on with the TypeScript program `script` of this folder under Node 24: in this
 * process when it already is that Node, else in a child whose exit code becomes ours.
 * @param {string} script
 */
export async function enter(script) {
  const node = await ready();
  if (node === undefined) process.exitCode = 1;
  else if (realpathSync(node) === realpathSync(process.execPath)) await import(`./${script}`);
  else
    process.exitCode = await runUnder(node, [
      tiedToParent,
      join(import.meta.dirname, script),
      ...process.argv.slice(2),
    ]);
}

/** The Node to go on with; undefined when the person has been told what is in the way. */
async function ready() {
  try {
    requireNode();
    const node = await install(root);
    process.env.PATH = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
    process.env.ONNXRUNTIME_NODE_INSTALL = 'skip';
    await import('./end-with-parent.mjs');
    return node;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return undefined;
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new Error(`Node ${oldestNode.join('.')} or newer is needed to start; this is ${process.versions.node}.`);
}
