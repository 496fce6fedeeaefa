import { test } from 'node:test';
import type { Store } from '../../src/contracts/stores.ts';
import { checkpointTests } from './checkpoint-store-suite.ts';
import { controlTests } from './control-store-suite.ts';
import { metricTests } from './metric-store-suite.ts';
import { registryTests } from './model-registry-suite.ts';
import { runTests } from './run-store-suite.ts';
import { smallStoreTests } from './small-stores-suite.ts';

/** An empty, migrated store for one test, and how to dispose of it. */
export interface OpenedStore {
  readonly store: Store;
  dispose(): Promise<void>;
}

/** What every {@link Store} must do, whatever keeps its data. */
export function storeSuite(adapter: string, open: () => Promise<OpenedStore>): void {
  const it = (title: string, body: (store: Store) => Promise<void>): void => {
    test(`${adapter}: ${title}`, async () => {
      const { store, dispose } = await open();
      try {
        await body(store);
      } finally {
        await dispose();
      }
    });
  };
  runTests(it);
  metricTests(it);
  checkpointTests(it);
  registryTests(it);
  smallStoreTests(it);
  controlTests(it);
}

/** Declares a test that gets a store of its own. */
export type It = (title: string, body: (store: Store) => Promise<void>) => void;
