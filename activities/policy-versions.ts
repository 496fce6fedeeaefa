/** The package versions that the metadata of an exported policy names; empty when it names none. */
export function versionsIn(metadata: Uint8Array): Readonly<Record<string, string>> {
  const parsed = JSON.parse(new TextDecoder().decode(metadata)) as { versions?: Record<string, string> };
  return parsed.versions ?? {};
}
