import { createHash } from 'node:crypto';

import type { OnnxDevice } from './device.ts';
import { openSession } from './runtime.ts';
import type { Session } from './runtime.ts';

/** A session that others may use too. */
export interface Lease {
  readonly session: Session;
  /** Releases the session when its last user is gone. Calling it again does nothing. */
  end(): void;
}

interface Entry {
  readonly session: Promise<Session>;
  users: number;
}

/** Sessions in use by the content of their model and their device. */
const sessions = new Map<string, Entry>();

/**
 * A session for a model: the one that is open, or a new one.
 * @throws CoxswainError DEVICE_UNAVAILABLE; an Error of ONNX Runtime when the file is no model.
 */
export async function leaseSession(model: Uint8Array, device: OnnxDevice): Promise<Lease> {
  const key = `${device.name} ${createHash('sha256').update(model).digest('hex')}`;
  const entry = sessions.get(key) ?? { session: openSession(model, device), users: 0 };
  sessions.set(key, entry);
  entry.users++;
  try {
    const session = await entry.session;
    let ended = false;
    return {
      session,
      end() {
        if (ended) return;
        ended = true;
        if (--entry.users > 0) return;
        sessions.delete(key);
        session.release();
      },
    };
  } catch (error) {
    // Somebody may have tried again already: his entry stays.
    if (sessions.get(key) === entry) sessions.delete(key);
    throw error;
  }
}
