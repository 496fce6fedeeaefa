import type { ApiList } from './api-objects.ts';
import type { BodyReader } from './api-exchange.ts';

/** What is kept of a page of a list. */
export interface ListPage<Kept> {
  readonly kept: readonly Kept[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
}

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Reads a list as it arrives and parses its items one by one: a page of 500 pods, of which a fraction is kept, is several
 * megabytes of text and more of objects, which would lie about until the next collection of the old generation.
 *
 * 1. An item is an object in the array on the first level of the answer, of which a list has just one, `items`.
 * 2. Everything else is small and is parsed in the end; `metadata` may come before the items or behind them.
 */
export class ListBody<T, Kept> implements BodyReader<ListPage<Kept>> {
  private readonly keep: (item: T) => Kept;
  private readonly managedFields: boolean;
  private readonly kept: Kept[] = [];
  /** Parts of the item that has begun, and of what is no item. */
  private item: Buffer[] = [];
  private readonly rest: Buffer[] = [];
  private depth = 0;
  private inString = false;
  private escaped = false;
  private inItems = false;
  private inItem = false;

  /** @param managedFields false leaves them out: they are half of an object. */
  constructor(keep: (item: T) => Kept, managedFields: boolean) {
    this.keep = keep;
    this.managedFields = managedFields;
  }

  write(part: Buffer): void {
    let { depth, inString, escaped } = this;
    let from = 0;
    for (let at = 0; at < part.length; at++) {
      const byte = part[at];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
      } else if (byte === quote) {
        inString = true;
      } else if (byte === openBrace || byte === openBracket) {
        if (depth === 2 && this.inItems) {
          this.inItem = true;
          from = at;
        }
        depth++;
        if (depth === 2 && byte === openBracket) {
          this.rest.push(part.subarray(from, at + 1));
          this.inItems = true;
        }
      } else if (byte === closeBrace || byte === closeBracket) {
        depth--;
        if (depth === 2 && this.inItem) {
          this.finish(part.subarray(from, at + 1));
        } else if (depth === 1 && this.inItems) {
          this.inItems = false;
          from = at;
        }
      }
    }
    Object.assign(this, { depth, inString, escaped });
    // Between two items there is nothing but a comma.
    if (this.inItem) this.item.push(part.subarray(from));
    else if (!this.inItems) this.rest.push(part.subarray(from));
  }

  end(): ListPage<Kept> {
    const { metadata } = JSON.parse(Buffer.concat(this.rest).toString('utf8')) as ApiList<T>;
    return { kept: this.kept, next: metadata?.continue || undefined };
  }

  private finish(last: Buffer): void {
    const whole = this.item.length === 0 ? last : Buffer.concat([...this.item, last]);
    this.item = [];
    this.inItem = false;
    const text = this.managedFields ? whole.toString('utf8') : withoutManagedFields(whole);
    this.kept.push(this.keep(JSON.parse(text) as T));
  }
}

const managedFieldsKey = Buffer.from('"managedFields":[');

/** The text of an object with empty managed fields. Inside of a string the key's quotes would be escaped. */
function withoutManagedFields(item: Buffer): string {
  const key = item.indexOf(managedFieldsKey);
  if (key < 0) return item.toString('utf8');
  const open = key + managedFieldsKey.length;
  return item.toString('utf8', 0, open) + item.toString('utf8', endOfArray(item, open));
}

/** Where the array ends whose content begins at `from`. */
function endOfArray(item: Buffer, from: number): number {
  let depth = 1;
  for (let at = from; ; at++) {
    const byte = item[at];
    if (byte === quote) at = endOfString(item, at);
    else if (byte === openBracket || byte === openBrace) depth++;
    else if ((byte === closeBracket || byte === closeBrace) && --depth === 0) return at;
  }
}

/** Where the string ends that begins at `from`. */
function endOfString(item: Buffer, from: number): number {
  let at = item.indexOf(quote, from + 1);
  while (isEscaped(item, at)) at = item.indexOf(quote, at + 1);
  return at;
}

/** True after an odd number of backslashes. */
function isEscaped(item: Buffer, at: number): boolean {
  let before = at;
  while (item[before - 1] === backslash) before--;
  return (at - before) % 2 === 1;
}
