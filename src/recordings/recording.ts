import { CoxswainError } from '../contracts/errors.ts';
import type { BinRange, RecordingParts, RecordingRepairs } from '../contracts/stores.ts';

/** Bins that a recording may have: 694 days of 15 s. Bounds the memory of every process that reads one. */
export const maxRecordingBins = 4_000_000;

/** The requests that arrived, bin after bin, and how they came about. */
export interface Recording extends RecordingMetadata {
  /** Requests that arrived in each bin. */
  readonly arrivals: Uint32Array;
}

export interface RecordingMetadata {
  /** For people: `generator`, or folder and path of the file. */
  readonly source: string;
  /** Seed that the arrivals were drawn with. */
  readonly seed: number;
  readonly binSeconds: number;
  readonly parts: RecordingParts;
  readonly repairs: RecordingRepairs;
}

/*
 * Format, all numbers little-endian:
 *
 * 1. bytes 0–3    the letters CXWR
 * 2. bytes 4–7    uint32, version of the format: 1
 * 3. bytes 8–11   uint32, length of the metadata in bytes, a multiple of 4
 * 4. metadata     UTF-8 JSON, names in the order below, filled up with spaces
 * 5. arrivals     one uint32 a bin, to the end
 *
 * Nothing in it depends on when or where it was written, so the same recording has the same content address.
 */
const magic = 'CXWR';
const version = 1;
const headerBytes = 12;

/** The bytes of a recording; equal recordings give equal bytes. */
export function encodeRecording(recording: Recording): Uint8Array {
  const metadata = metadataBytes(recording);
  const start = headerBytes + metadata.length;
  const bytes = new Uint8Array(start + 4 * recording.arrivals.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(4, version, true);
  view.setUint32(8, metadata.length, true);
  bytes.set(metadata, headerBytes);
  recording.arrivals.forEach((arrivals, bin) => view.setUint32(start + 4 * bin, arrivals, true));
  return bytes;
}

/**
 * The recording in `bytes`.
 * @throws CoxswainError ARTIFACT_CORRUPT when they are no recording, of another version, cut off, or when metadata and
 * arrivals do not fit together.
 */
export function decodeRecording(bytes: Uint8Array): Recording {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerBytes || new TextDecoder().decode(bytes.subarray(0, 4)) !== magic)
    throw corrupt(`expected the letters ${magic} at the start`);
  if (view.getUint32(4, true) !== version)
    throw corrupt(`expected version ${version}, found ${view.getUint32(4, true)}; collect it again with this Coxswain`);
  const start = headerBytes + view.getUint32(8, true);
  const bins = (bytes.length - start) / 4;
  if (start % 4 !== 0 || bins < 0 || !Number.isInteger(bins)) throw corrupt(`cut off after ${bytes.length} bytes`);
  const metadata = parseMetadata(bytes.subarray(headerBytes, start), bins);
  return {
    ...metadata,
    arrivals: Uint32Array.from({ length: bins }, (_, bin) => view.getUint32(start + 4 * bin, true)),
  };
}

function metadataBytes({ source, seed, binSeconds, parts, repairs }: RecordingMetadata): Uint8Array {
  const { train, validate, heldOut } = parts;
  const { interpolatedBins, summedDuplicates } = repairs;
  const text = JSON.stringify({
    source,
    seed,
    binSeconds,
    parts: { train: rangeJson(train), validate: rangeJson(validate), heldOut: rangeJson(heldOut) },
    repairs: { interpolatedBins, summedDuplicates },
  });
  const length = new TextEncoder().encode(text).length;
  return new TextEncoder().encode(text + ' '.repeat((4 - (length % 4)) % 4));
}

function rangeJson({ from, to }: BinRange): BinRange {
  return { from, to };
}

function parseMetadata(bytes: Uint8Array, bins: number): RecordingMetadata {
  const metadata = parseJson(bytes);
  if (!isMetadata(metadata)) throw corrupt('its metadata lacks a field or holds a wrong one');
  const { train, validate, heldOut } = metadata.parts;
  const inOrder = train.from === 0 && train.to === validate.from && validate.to === heldOut.from;
  if (!inOrder || heldOut.to !== bins) throw corrupt(`its parts do not cover its ${bins} bins one after the other`);
  return metadata;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw corrupt('its metadata is no JSON', error);
  }
}

function isMetadata(value: unknown): value is RecordingMetadata {
  if (!hasFields(value, ['source', 'seed', 'binSeconds', 'parts', 'repairs'])) return false;
  const { source, seed, binSeconds, parts, repairs } = value;
  const numbers = [seed, binSeconds];
  if (!hasFields(parts, ['train', 'validate', 'heldOut'])) return false;
  for (const part of Object.values(parts)) {
    if (!hasFields(part, ['from', 'to']) || Number(part.from) > Number(part.to)) return false;
    numbers.push(part.from, part.to);
  }
  if (!hasFields(repairs, ['interpolatedBins', 'summedDuplicates'])) return false;
  numbers.push(repairs.interpolatedBins, repairs.summedDuplicates);
  return typeof source === 'string' && numbers.every((number) => Number.isSafeInteger(number) && Number(number) >= 0);
}

function hasFields<Name extends string>(value: unknown, names: readonly Name[]): value is Record<Name, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => Object.hasOwn(value, name)) && Object.keys(value).length === names.length;
}

function corrupt(reason: string, cause?: unknown): CoxswainError {
  return new CoxswainError('ARTIFACT_CORRUPT', `This is not a recording that can be read: ${reason}.`, { cause });
}
