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
 * Makes sure that the namespace knows our search attributes: a workflow that sets an unknown one, or one of another
 * type, hangs. Registers what is missing where this worker may. Idempotent, also when several workers start at once.
 * @throws CoxswainError SEARCH_ATTRIBUTES_MISSING with the command to run where it may not, or naming an attribute of
 * another type; TEMPORAL_UNAVAILABLE when the server does not answer.
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = await missingAttributes(connection, namespace);
  if (missing.length === 0) return;
  try {
    const types = Object.fromEntries(missing.map((name) => [name, wanted[name]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: types });
  } catch (error) {
    // Another worker may have done it meanwhile.
    if ((await missingAttributes(connection, namespace)).length > 0) throw refusal(missing, namespace, error);
  }
}

async function missingAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const known = await knownAttributes(connection, namespace);
  for (const [name, type] of Object.entries(wanted)) {
    if (name in known && known[name] !== type) throw otherType(name, namespace);
  }
  return Object.keys(wanted).filter((name) => !(name in known));
}

async function knownAttributes(connection: Connection, namespace: string): Promise<Record<string, unknown>> {
  try {
    return (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes ?? {};
  } catch (error) {
    if (isRefusal(error)) throw refusal(Object.keys(wanted), namespace, error);
    const message = `Temporal did not say which search attributes the namespace ${namespace} has: ${String(error)}`;
    throw new CoxswainError('TEMPORAL_UNAVAILABLE', message, { cause: error });
  }
}

function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: number };
  return code !== undefined && refusals.has(code);
}

function refusal(missing: readonly string[], namespace: string, cause: unknown): CoxswainError {
  const flags = missing.map((name) => `--name ${name} --type ${typeName(name)}`).join(' ');
  const command = `temporal operator search-attribute create --namespace ${namespace} ${flags}`;
  const reason = isRefusal(cause) ? 'this worker may not see or add them' : String(cause);
  const message = `The namespace ${namespace} needs the search attributes ${missing.join(', ')}, and ${reason}. Run: ${command}`;
  return new CoxswainError('SEARCH_ATTRIBUTES_MISSING', message, { cause });
}

function otherType(name: string, namespace: string): CoxswainError {
  const message = `The namespace ${namespace} has a search attribute ${name} that is no ${typeName(name)}. Remove it, or use another namespace.`;
  return new CoxswainError('SEARCH_ATTRIBUTES_MISSING', message);
}

function typeName(name: string): string {
  return wanted[name] === IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE ? 'Double' : 'Keyword';
}
