import { readFile } from 'node:fs/promises';

/** A collection as docs/store.md describes it. */
export interface DocumentedCollection {
  readonly name: string;
  /** Top-level fields of its documents. */
  readonly fields: readonly string[];
  /** Index name → its keys and options as written, for example `{ model: 1, runId: 1 }, unique`. */
  readonly indexes: Readonly<Record<string, string>>;
}

/** The sections of docs/store.md that begin with a collection's name. */
export async function documentedCollections(): Promise<readonly DocumentedCollection[]> {
  const page = await readFile(new URL('../../../docs/store.md', import.meta.url), 'utf8');
  return page
    .split(/^### /m)
    .filter((section) => section.startsWith('`'))
    .map((section) => ({
      name: /^`([^`]+)`/.exec(section)![1]!,
      fields: [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, field]) => field!),
      indexes: Object.fromEntries(
        [...section.matchAll(/^- Index `([^`]+)`: `([^`]+)`/gm)].map(([, name, keys]) => [name!, keys!]),
      ),
    }));
}
