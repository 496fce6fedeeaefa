import { createHash } from 'node:crypto';

import { CoxswainError } from '../contracts/errors.ts';
import type { AgentState, StateArray } from './agent.ts';
import { surroundings } from './versions.ts';
import type { Surroundings } from './versions.ts';

/** Raised whenever an older program could misread a newer checkpoint or the other way round. */
export const checkpointFormatVersion = 2;

/** The first bytes of every checkpoint. */
const magic = new TextEncoder().encode('CXSWCKPT');
const digestBytes = 32;
/** magic, format version, length of the header */
const prefixBytes = magic.length + 8;

/** What a checkpoint holds: state at an update boundary. */
export interface CheckpointContent {
  /** SHA-256 of everything that two trainings must share for one to go on from the other's checkpoint. */
  readonly identity: string;
  readonly device: string;
  /** Numbers that must keep every bit, by name. */
  readonly arrays: AgentState['arrays'];
  /** The rest: generator and environment states, statistics, counters. */
  readonly values: unknown;
  /** Changes of machine, device or versions so far: after one, bits may differ from an undisturbed training's. */
  readonly warnings: readonly string[];
}

/** A checkpoint that was read. What differs here from where it was written is added to the warnings. */
export interface Checkpoint extends CheckpointContent {
  /** All weights of the agent: equal bytes mean equal trainings. */
  readonly parameters: Float32Array;
  /** Where it was written. */
  readonly writtenOn: Surroundings;
}

/** The kinds of arrays that a checkpoint holds. */
const arrayTypes = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };
type ArrayType = keyof typeof arrayTypes;

interface Header extends Surroundings {
  readonly identity: string;
  readonly device: string;
  readonly arrays: readonly { readonly name: string; readonly type: ArrayType; readonly length: number }[];
  readonly values: unknown;
  readonly warnings: readonly string[];
}

/**
 * A checkpoint's bytes: magic, format version and header length (uint32, little-endian), the header as JSON, the arrays
 * in little-endian order, and the SHA-256 of all that.
 */
export function writeCheckpoint(content: CheckpointContent): Uint8Array {
  const entries = Object.entries(content.arrays);
  const header: Header = {
    ...surroundings(),
    identity: content.identity,
    device: content.device,
    arrays: entries.map(([name, values]) => ({ name, type: typeOf(values), length: values.length })),
    values: content.values,
    warnings: content.warnings,
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new DataView(new ArrayBuffer(8));
  prefix.setUint32(0, checkpointFormatVersion, true);
  prefix.setUint32(4, text.length, true);
  const body = Buffer.concat([
    magic,
    new Uint8Array(prefix.buffer),
    text,
    ...entries.map(([, { buffer, byteOffset, byteLength }]) => new Uint8Array(buffer, byteOffset, byteLength)),
  ]);
  return new Uint8Array(Buffer.concat([body, digest(body)]));
}

/**
 * @throws CoxswainError CHECKPOINT_INVALID when the bytes are no checkpoint, were truncated or changed, or are of another
 * format version.
 */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const { header, arrayBytes } = takenApart(bytes);
  const arrays: Record<string, StateArray> = {};
  let offset = 0;
  for (const { name, type, length } of header.arrays) {
    const size = arrayTypes[type].BYTES_PER_ELEMENT * length;
    // A copy, because a view of numbers must start at a multiple of their size; `slice` of a Buffer would be none.
    arrays[name] = new arrayTypes[type](new Uint8Array(arrayBytes.subarray(offset, offset + size)).buffer);
    offset += size;
  }
  const { identity, device, values, cpuModel, versions } = header;
  const writtenOn = { cpuModel, versions };
  const warnings = [...header.warnings, ...differences(writtenOn)];
  const parameters = arrays.parameters as Float32Array;
  return { identity, device, values, arrays: { ...arrays, parameters }, parameters, writtenOn, warnings };
}

/** Whether a checkpoint can hold it bit for bit. */
export function isStateArray(values: unknown): values is StateArray {
  return Object.values(arrayTypes).some((constructor) => values instanceof constructor);
}

function typeOf(values: StateArray): ArrayType {
  const [type] = Object.entries(arrayTypes).find(([, constructor]) => values instanceof constructor)!;
  return type as ArrayType;
}

function takenApart(bytes: Uint8Array): { header: Header; arrayBytes: Uint8Array } {
  if (bytes.length < prefixBytes + digestBytes || !Buffer.from(bytes.subarray(0, magic.length)).equals(magic)) {
    throw invalid('the bytes are no checkpoint of Coxswain');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const version = view.getUint32(magic.length, true);
  if (version !== checkpointFormatVersion) {
    throw invalid(`it has format version ${version}, and this program reads version ${checkpointFormatVersion}`);
  }
  const body = bytes.subarray(0, -digestBytes);
  if (!digest(body).equals(bytes.subarray(-digestBytes))) throw invalid('it was truncated or changed');
  const headerEnd = prefixBytes + view.getUint32(magic.length + 4, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(prefixBytes, headerEnd))) as Header;
  return { header, arrayBytes: body.subarray(headerEnd) };
}

function differences(writtenOn: Surroundings): string[] {
  const here = surroundings();
  const now = { 'CPU model': here.cpuModel, ...here.versions };
  const before: Record<string, string> = { 'CPU model': writtenOn.cpuModel, ...writtenOn.versions };
  return Object.entries(now).flatMap(([what, value]) => changeWarning(what, before[what], value));
}

/** A sentence about something that changed between two parts of a training; none when it did not. */
export function changeWarning(what: string, before: string, now: string): string[] {
  if (before === now) return [];
  return [`The training went on with another ${what} (${now} after ${before}): its results may differ in bits.`];
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** The error for a checkpoint that cannot be used. */
export function invalid(why: string): CoxswainError {
  return new CoxswainError('CHECKPOINT_INVALID', `The checkpoint cannot be used: ${why}.`);
}
