import { createHash } from 'node:crypto';
import type { DeploymentSpec } from '../contracts/control.ts';
import type { RunSpec } from '../contracts/run-spec.ts';

/**
 * JSON whose bytes depend on the value alone: names sorted by UTF-16 code units, no white space, numbers as ECMAScript
 * writes them (RFC 8785). Fields that are undefined are left out.
 * @throws TypeError for a number that is not finite, and for functions, symbols and bigints.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) return objectJson(value);
  const isJson = value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
  if (!isJson) throw new TypeError(`JSON cannot hold ${String(value)}`);
  return JSON.stringify(value);
}

/**
 * SHA-256 of a normalised spec in canonical JSON, as 64 hexadecimal digits: what makes two runs the same run. `placement`
 * came later and counts only where it is set, so that specs from before keep their hash.
 */
export function specSha256(spec: RunSpec | DeploymentSpec): string {
  const whole = 'deploy' in spec && spec.deploy ? { ...spec, deploy: withoutNoPlacement(spec.deploy) } : spec;
  return createHash('sha256')
    .update(canonicalJson(withoutNoPlacement(whole)))
    .digest('hex');
}

function withoutNoPlacement(spec: object): object {
  return 'placement' in spec && spec.placement === null ? { ...spec, placement: undefined } : spec;
}

function objectJson(value: object): string {
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, child]) => `${JSON.stringify(key)}:${canonicalJson(child)}`).join(',')}}`;
}
