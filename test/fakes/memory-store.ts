import type {
  ArtifactReference,
  ArtifactStore,
  NonceStore,
  Store,
  TrackingLedgerStore,
} from '../../src/contracts/stores.ts';
import {
  artifactCorrupt,
  artifactNotFound,
  matchesReference,
  referenceOf,
} from '../../src/store/artifacts/content-address.ts';
import { ledgerConflict } from '../../src/store/refusals.ts';
import { MemoryControlStore } from './memory-control-store.ts';
import { MemoryModelRegistry } from './memory-model-registry.ts';
import { MemoryRunStore } from './memory-run-store.ts';
import { MemoryCheckpointStore, MemoryMetricStore, MemoryRecordingStore } from './memory-training-stores.ts';

/** A store in memory that passes the same suite as the real one (test/contracts/store-suite.ts). */
export function createMemoryStore(): Store {
  return {
    runs: new MemoryRunStore(),
    metrics: new MemoryMetricStore(),
    checkpoints: new MemoryCheckpointStore(),
    recordings: new MemoryRecordingStore(),
    models: new MemoryModelRegistry(),
    trackingLedgers: new MemoryTrackingLedgerStore(),
    nonces: new MemoryNonceStore(),
    control: new MemoryControlStore(),
    migrate: async () => {},
    ping: async () => {},
    close: async () => {},
  };
}

/** Artifacts in memory. `damage` replaces the bytes behind an address, for tests of ARTIFACT_CORRUPT. */
export interface MemoryArtifactStore extends ArtifactStore {
  damage(reference: ArtifactReference, bytes: Uint8Array): void;
}

/** An artifact store in memory that passes the same suite as the real ones. */
export function createMemoryArtifactStore(): MemoryArtifactStore {
  const stored = new Map<string, Uint8Array>();
  return {
    async put(bytes) {
      const reference = referenceOf(bytes);
      stored.set(reference.sha256, bytes.slice());
      return reference;
    },
    async get(reference) {
      const bytes = stored.get(reference.sha256);
      if (bytes === undefined) throw artifactNotFound(reference, 'memory');
      if (!matchesReference(bytes, reference)) throw artifactCorrupt(reference, 'memory');
      return bytes.slice();
    },
    has: async (reference) => stored.get(reference.sha256)?.byteLength === reference.bytes,
    damage(reference, bytes) {
      stored.set(reference.sha256, bytes.slice());
    },
  };
}

class MemoryTrackingLedgerStore implements TrackingLedgerStore {
  private readonly ledgers = new Map<string, { revision: number; document: unknown }>();

  async readLedger(key: string): Promise<{ revision: number; document: unknown } | null> {
    return structuredClone(this.ledgers.get(key) ?? null);
  }

  async writeLedger(key: string, expectedRevision: number | null, document: unknown): Promise<number> {
    const current = this.ledgers.get(key)?.revision ?? null;
    if (current !== expectedRevision) throw ledgerConflict(key, expectedRevision);
    const revision = (current ?? 0) + 1;
    this.ledgers.set(key, structuredClone({ revision, document }));
    return revision;
  }
}

class MemoryNonceStore implements NonceStore {
  private readonly used = new Set<string>();

  async useNonce(nonce: string): Promise<boolean> {
    if (this.used.has(nonce)) return false;
    this.used.add(nonce);
    return true;
  }
}
