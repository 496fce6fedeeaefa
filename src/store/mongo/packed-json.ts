import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Binary } from 'mongodb';

/*
 * JSON as deflated bytes, for records that are many, repetitive and read whole. A control decision of 11 services is
 * 20 KB as a document and 3.7 KB like this. Doubles come back bit for bit, also those that JSON has no word for: they
 * are written as `{ "%number": "-0" }`.
 */

const numberKey = '%number';

/** The bytes of a JSON value. Properties that are undefined are left out. */
export function packJson(value: unknown): Binary {
  return new Binary(deflateRawSync(JSON.stringify(value, withoutWord)));
}

/** The value that was packed. `T` is what was packed; it is not checked again. */
export function unpackJson<T>(packed: Binary): T {
  return JSON.parse(inflateRawSync(packed.value()).toString(), withWord) as T;
}

function withoutWord(_: string, value: unknown): unknown {
  if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return { [numberKey]: Object.is(value, -0) ? '-0' : String(value) };
}

function withWord(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(numberKey in value)) return value;
  return Number(value[numberKey]);
}
