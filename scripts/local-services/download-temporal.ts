/**
 * `node download-temporal.ts VERSION FOLDER`: lets `@temporalio/testing` download the Temporal CLI into the folder. Its
 * interface offers the download only together with starting the server, so the server is started and ended at once.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [version, downloadDir] = process.argv.slice(2);
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', version, downloadDir, ttl: '365d' } },
  });
  await environment.teardown();
} catch (error) {
  // The message alone: it becomes a line of the list of sources that were tried.
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
