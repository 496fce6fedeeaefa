import type { Connection } from '@temporalio/client';
import { SearchAttributeType } from '@temporalio/common';
import proto from '@temporalio/proto';
import { CoxswainError } from '../src/contracts/errors.ts';
import { searchAttributes } from '../src/contracts/search-attributes.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;

/** gRPC statuses that say "you may not", not "something is wrong". */
const refusals = new Set([7 /* PERMISSION_DENIED */, 12 /* UNIMPLEMENTED */, 16 /* UNAUTHENTICATED */]);

const wanted: Readonly<Record<string, number>> = Object.fromEntries(
  Object.values(searchAttributes).map((key) => [
    key.name,
    key.type === SearchAttributeType.DOUBLE
      ? IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE
      : IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  ]),
);

/**
 * Makes sure that the namespace knows our search attributes: a workflow that sets an unknown one hangs. Registers what
 * is missing where this worker may. Idempotent, also when several workers start at once.
 * @throws CoxswainError SEARCH_ATTRIBUTES_MISSING with the command to run where it may not.
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = await missingAttributes(connection, namespace);
  if (missing.length === 0) return;
  try {
    const types = Object.fromEntries(missing.map((name) => [name, wanted[name]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: types });
  } catch (error) {
    if (!(await stillMissing(connection, namespace))) return;
    throw refusal(missing, namespace, error);
  }
}

async function missingAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.keys(wanted).filter((name) => !(name in (customAttributes ?? {})));
}

/** True when another worker did not do it meanwhile. */
async function stillMissing(connection: Connection, namespace: string): Promise<boolean> {
  return (await missingAttributes(connection, namespace).catch(() => ['unknown'])).length > 0;
}

function refusal(missing: readonly string[], namespace: string, cause: unknown): CoxswainError {
  const flags = missing.map((name) => `--name ${name} --type ${typeName(name)}`).join(' ');
  const command = `temporal operator search-attribute create --namespace ${namespace} ${flags}`;
  const code = (cause as { code?: number }).code;
  const reason = code !== undefined && refusals.has(code) ? 'this worker may not add them' : String(cause);
  const message = `The namespace ${namespace} lacks the search attributes ${missing.join(', ')}, and ${reason}. Run: ${command}`;
  return new CoxswainError('SEARCH_ATTRIBUTES_MISSING', message, { cause });
}

function typeName(name: string): string {
  return wanted[name] === IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE ? 'Double' : 'Keyword';
}
