/** One place that a program may come from. */
export interface ProgramSource<Program> {
  /** Names the source in messages, for example "temporal on PATH". */
  readonly name: string;
  /** Resolves to the program; throws an error whose message says why this source has none. */
  obtain(): Promise<Program>;
}

/**
 * The first program that one of the sources gives, in their order. Throws an error that lists every source with its
 * reason, and then `wayOut`: what a person can do.
 */
export async function obtainProgram<Program>(
  what: string,
  sources: readonly ProgramSource<Program>[],
  wayOut: string,
): Promise<Program> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      return await source.obtain();
    } catch (error) {
      reasons.push(`  - ${source.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`${what} could not be obtained. Tried:\n${reasons.join('\n')}\n${wayOut}`);
}
