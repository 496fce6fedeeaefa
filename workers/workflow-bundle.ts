import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';

let bundle: Promise<WorkflowBundleWithSourceMap> | null = null;

/** The bundled workflow code, made once a process. */
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  const entry = new URL(`../workflows/index${extname(import.meta.url)}`, import.meta.url);
  bundle ??= bundleWorkflowCode({ workflowsPath: fileURLToPath(entry), logger: new DefaultLogger('WARN') });
  return bundle;
}
