import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the program prints, for example with `--version`. Throws when it fails or takes longer than 20 seconds. */
export async function programVersion(path: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(path, [...args], { timeout: 20_000 });
    return stdout;
  } catch (error) {
    throw new Error(`${path} ${args.join(' ')} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
