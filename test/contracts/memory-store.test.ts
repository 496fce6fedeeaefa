import { createMemoryArtifactStore, createMemoryStore } from '../fakes/memory-store.ts';
import { artifactStoreSuite } from './artifact-store-suite.ts';
import { storeSuite } from './store-suite.ts';

storeSuite('memory store', async () => ({ store: createMemoryStore(), dispose: async () => {} }));

artifactStoreSuite('memory artifacts', async () => {
  const store = createMemoryArtifactStore();
  return { store, damage: async (reference, bytes) => store.damage(reference, bytes), dispose: async () => {} };
});
