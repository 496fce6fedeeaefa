/**
 * Options that Node is started with for a program of ours, by its name.
 *
 * The control worker reads whole namespaces again and again, and keeps little of what it reads. With V8's own limit the
 * garbage of 2 000 pods fills 215 MB before it is collected; with this one 105 MB, and reading is no slower.
 */
export function nodeOptionsOf(program: string): string[] {
  return program === 'control' ? ['--max-semi-space-size=4'] : [];
}
