import { startApiServer } from '../../../src/api/api-server.ts';
import type { ApiServer } from '../../../src/api/api-server.ts';
import { createApi } from '../../../src/api/create-api.ts';
import type { Api } from '../../../src/api/create-api.ts';
import type { LogLevel } from '../../../src/api/json-log.ts';
import type { ApiLimits, ApiSettings } from '../../../src/api/settings.ts';
import { clientOn } from '../../../src/client/coxswain-client.ts';
import type { Store } from '../../../src/contracts/stores.ts';
import { parseRunSpec, specSha256 } from '../../../src/spec/run-spec.ts';
import { createMemoryStore } from '../../fakes/memory-store.ts';
import { sampleReport } from '../cli/sample-run.ts';
import { FakeControlEngine } from '../client/fake-control-engine.ts';
import { FakeRunEngine } from '../client/fake-run-engine.ts';

export const rawSpec = { version: 1, name: 'shop' };
export const spec = parseRunSpec(rawSpec);
export const hash = specSha256(spec);

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A listening API on a free port, over a fake Temporal and a store in memory. */
export interface ApiFixture {
  readonly api: Api;
  readonly server: ApiServer;
  readonly url: string;
  readonly engine: FakeRunEngine;
  readonly control: FakeControlEngine;
  readonly store: Store;
  readonly log: readonly LogLine[];
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** A run in Temporal and in the store. */
  addRun(runId: string): Promise<void>;
  finishRun(runId: string, status?: 'completed' | 'failed' | 'cancelled'): Promise<void>;
  close(): Promise<void>;
}

export async function startApiFixture(
  settings: Partial<ApiSettings> = {},
  limits: Partial<ApiLimits> = {},
): Promise<ApiFixture> {
  const engine = new FakeRunEngine();
  const control = new FakeControlEngine();
  const store = createMemoryStore();
  const log: LogLine[] = [];
  const all: ApiSettings = {
    host: '127.0.0.1',
    port: 0,
    token: null,
    webhookSecret: null,
    allowedHosts: [],
    allowedOrigins: [],
    ...settings,
  };
  const api = createApi({
    client: clientOn(engine, control, store),
    store,
    settings: all,
    version: '0.0.0',
    limits: { watchIntervalMs: 5, ...limits },
    log: (level, message, fields = {}) => void log.push({ level, message, fields }),
  });
  const server = await startApiServer(api, all);
  return {
    api,
    server,
    url: server.url,
    engine,
    control,
    store,
    log,
    get: (path, headers) => fetch(server.url + path, { headers, redirect: 'manual' }),
    post: (path, body, headers = {}) =>
      fetch(server.url + path, {
        method: 'POST',
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      }),
    async addRun(runId) {
      await engine.start({ runId, spec, specSha256: hash });
      await store.runs.createRun({ runId, spec, specSha256: hash, at: new Date() });
    },
    async finishRun(runId, status = 'completed') {
      const report = { ...sampleReport, runId, status };
      await store.runs.finishRun(runId, { status, step: 'register', failure: null, report, at: new Date() });
      engine.end(runId, status);
    },
    close: () => server.close(100),
  };
}
