import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Client } from '@temporalio/client';
import { Binary, MongoClient } from 'mongodb';

/** A secret that a test has given to a process: a token of a kubeconfig, a key, a password. */
export interface PlantedSecret {
  /** For the message of a test that fails. */
  readonly name: string;
  /** At least 12 characters, so that nothing else is equal to it. */
  readonly value: string;
}

/** Everywhere that work may leave something. Only what is given is searched. */
export interface SearchedPlaces {
  /** Every document of every collection. */
  readonly mongo?: { readonly url: string; readonly database: string };
  /** Histories, memos, search attributes and pending activities of every workflow of the client's namespace. */
  readonly temporal?: Client;
  /** Files, and all files of folders: logs, artifacts. */
  readonly files?: readonly string[];
  /** Answers of servers: /metrics, an API. Their status does not matter. */
  readonly pages?: readonly { readonly url: string; readonly headers?: Readonly<Record<string, string>> }[];
  /** Output of commands, messages of errors: anything that a test holds already, by a name. */
  readonly texts?: Readonly<Record<string, unknown>>;
}

/** How much was searched, so that a test can see that it was not nothing. */
export interface SearchResult {
  readonly documents: number;
  readonly historyEvents: number;
  readonly files: number;
  readonly pages: number;
  readonly texts: number;
  /** `place: name of the secret`, never the secret itself. */
  readonly found: readonly string[];
}

/**
 * Fails when a planted secret is anywhere in the given places: plain, in base64, hexadecimal, percent-encoded, or inside
 * deflated or gzipped bytes. Fails too when a place that was given turns out to be empty.
 */
export async function assertNoSecrets(
  secrets: readonly PlantedSecret[],
  places: SearchedPlaces,
): Promise<SearchResult> {
  const result = await searchSecrets(secrets, places);
  assert.deepEqual(result.found, [], 'planted secrets were found');
  if (places.mongo) assert.ok(result.documents > 0, 'the database has no document to search');
  if (places.temporal) assert.ok(result.historyEvents > 0, 'the namespace has no workflow to search');
  if (places.files) assert.ok(result.files > 0, 'there is no file to search');
  return result;
}

/** Where planted secrets are; see {@link assertNoSecrets}. */
export async function searchSecrets(
  secrets: readonly PlantedSecret[],
  { mongo, temporal, files = [], pages = [], texts = {} }: SearchedPlaces,
): Promise<SearchResult> {
  for (const { name, value } of secrets) assert.ok(value.length >= 12, `${name} is too short to be searched for`);
  const search = new Search(secrets);
  const documents = mongo ? await searchMongo(search, mongo) : 0;
  const historyEvents = temporal ? await searchTemporal(search, temporal) : 0;
  const paths = files.flatMap(filesUnder);
  for (const path of paths) search.value(path, readFileSync(path));
  for (const { url, headers } of pages) {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
    search.value(url, [await response.text(), [...response.headers]]);
  }
  for (const [name, value] of Object.entries(texts)) search.value(name, value);
  return {
    documents,
    historyEvents,
    files: paths.length,
    pages: pages.length,
    texts: Object.keys(texts).length,
    found: [...search.found],
  };
}

/** Looks for secrets in values of any shape, into which bytes are unpacked where they are compressed. */
class Search {
  readonly found = new Set<string>();
  private readonly needles: { readonly name: string; readonly forms: readonly string[] }[];

  constructor(secrets: readonly PlantedSecret[]) {
    this.needles = secrets.map(({ name, value }) => ({ name, forms: formsOf(value) }));
  }

  value(place: string, value: unknown): void {
    const seen = new Set<object>();
    const open: unknown[] = [value];
    while (open.length > 0) {
      const next = open.pop();
      if (typeof next === 'string') this.text(place, next);
      else if (next instanceof Binary) open.push(next.value());
      else if (next instanceof Uint8Array) open.push(...textsOf(next));
      else if (next instanceof Error) open.push(next.message, next.stack, next.cause, { ...next });
      else if (typeof next === 'object' && next !== null && !seen.has(next)) {
        seen.add(next);
        open.push(...(next instanceof Map ? [...next].flat() : Object.entries(next).flat()));
      }
    }
  }

  private text(place: string, text: string): void {
    const lower = text.toLowerCase();
    for (const { name, forms } of this.needles) {
      // Hexadecimal digits come in both cases; nothing that a test plants differs from other text in its case alone.
      if (forms.some((form) => lower.includes(form.toLowerCase()))) this.found.add(`${place}: ${name}`);
    }
  }
}

/** The ways in which a secret is still readable. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // In base64 it looks otherwise at each of three offsets; the characters at the ends depend on the neighbours.
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(offset === 0 ? 0 : offset + 1, -1);
  });
  const urlSafe = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [
    ...new Set([
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      bytes.toString('hex'),
      ...base64,
      ...urlSafe,
    ]),
  ];
}

/** Bytes as text, as they are and unpacked. */
function textsOf(bytes: Uint8Array): string[] {
  const unpacked = [inflateRawSync, inflateSync, gunzipSync].flatMap((unpack) => {
    try {
      return [unpack(bytes)];
    } catch {
      return [];
    }
  });
  return [Buffer.from(bytes), ...unpacked].flatMap((each) => [each.toString('latin1'), each.toString('utf8')]);
}

async function searchMongo(search: Search, { url, database }: { url: string; database: string }): Promise<number> {
  const client = new MongoClient(url);
  let documents = 0;
  try {
    const db = client.db(database);
    for (const { name } of await db.listCollections().toArray()) {
      for await (const document of db.collection(name).find({}, { promoteBuffers: false })) {
        search.value(`${name} ${String(document._id)}`, document);
        documents++;
      }
    }
  } finally {
    await client.close();
  }
  return documents;
}

async function searchTemporal(search: Search, client: Client): Promise<number> {
  let events = 0;
  for await (const { workflowId, runId } of client.workflow.list()) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const history = await handle.fetchHistory();
    events += history.events?.length ?? 0;
    search.value(`history of ${workflowId}`, history);
    // Heartbeats and failures of activities that still run are in no history.
    const { raw, memo, typedSearchAttributes } = await handle.describe();
    search.value(`description of ${workflowId}`, [raw, memo, typedSearchAttributes]);
  }
  return events;
}

function filesUnder(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesUnder(join(path, name)));
}
