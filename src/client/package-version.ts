import { existsSync, readFileSync } from 'node:fs';

/** Version of the installed package. The source lies two folders below package.json, the compiled code three. */
export function packageVersion(): string {
  const places = ['../../package.json', '../../../package.json'].map((path) => new URL(path, import.meta.url));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) return 'unknown';
  const { version } = JSON.parse(readFileSync(found, 'utf8')) as { version?: string };
  return version ?? 'unknown';
}
