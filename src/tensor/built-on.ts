/** What holds native memory until it is disposed of. */
export interface Disposable {
  dispose(): Promise<void>;
}

/**
 * Builds something on programs that it keeps from then on; when building fails nobody has them, and they are disposed of.
 * @param programs by name; null where there is none.
 * @throws what `build` throws.
 */
export async function builtOn<Programs extends { readonly [Name in keyof Programs]: Disposable | null }, Built>(
  programs: Programs,
  build: (programs: Programs) => Built | Promise<Built>,
): Promise<Built> {
  try {
    return await build(programs);
  } catch (error) {
    const made = Object.values<Disposable | null>(programs).filter((program) => program !== null);
    await Promise.all(made.map((program) => program.dispose()));
    throw error;
  }
}
