import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startedAt } from '../process-identity.mjs';
import { cleanUpLeftovers } from './leftovers.ts';

const folderPrefix = 'coxswain-test-';

/** A new folder for servers of this test process; its name carries the process, for {@link removeAbandonedTestData}. */
export function testDataFolder(): string {
  return mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
}

/** Ends what the servers of a test's folder may have left running, and removes the folder. */
export async function removeTestData(folder: string): Promise<void> {
  await cleanUpLeftovers(join(folder, 'records'));
  rmSync(folder, { recursive: true, force: true });
}

/** Removes the data of test processes that were killed, and ends the servers that they may have left running. */
export async function removeAbandonedTestData(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(folderPrefix))) {
    const owner = Number(name.slice(folderPrefix.length).split('-')[0]);
    const folder = join(tmpdir(), name);
    if (startedAt(owner) !== undefined || !isWritable(folder)) continue;
    await removeTestData(folder);
  }
}

/** False for the folders of other users. */
function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
