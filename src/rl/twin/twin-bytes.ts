import { CoxswainError } from '../../contracts/errors.ts';
import { validateApplication } from '../environments/online-boutique/validate-application.ts';
import type { Twin } from './twin.ts';

/** A twin as it is stored: JSON. Equal twins give equal bytes. */
export function encodeTwin(twin: Twin): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(twin));
}

/**
 * The twin in `bytes`.
 * @throws CoxswainError ARTIFACT_CORRUPT when they are no twin or of another version; ENVIRONMENT_INVALID when its
 * application breaks a rule of the simulator.
 */
export function decodeTwin(bytes: Uint8Array): Twin {
  const twin = parseJson(bytes) as Partial<Twin> | null;
  if (twin?.version !== 1) throw corrupt(`expected version 1, found ${JSON.stringify(twin?.version)}; fit it again`);
  if (!twin.application || !twin.graph || !twin.report) throw corrupt('it lacks application, graph or report');
  validateApplication(twin.application);
  return twin as Twin;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw corrupt('it is no JSON', error);
  }
}

function corrupt(reason: string, cause?: unknown): CoxswainError {
  return new CoxswainError('ARTIFACT_CORRUPT', `This is not a twin that can be read: ${reason}.`, { cause });
}
