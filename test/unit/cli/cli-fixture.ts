import assert from 'node:assert/strict';
import type { CommandContext, Session } from '../../../src/cli/command-context.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { clientOn } from '../../../src/client/coxswain-client.ts';
import type { ClusterReader } from '../../../src/contracts/cluster.ts';
import type { Store } from '../../../src/contracts/stores.ts';
import { parseRunSpec, specSha256 } from '../../../src/spec/run-spec.ts';
import { createMemoryStore } from '../../fakes/memory-store.ts';
import { FakeControlEngine } from '../client/fake-control-engine.ts';
import { FakeRunEngine } from '../client/fake-run-engine.ts';
import { sampleReport } from './sample-run.ts';

export const rawSpec = { version: 1, name: 'shop' };

/** What one call of the command did. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** The command over a fake Temporal and a store in memory. */
export interface CliFixture {
  readonly engine: FakeRunEngine;
  readonly control: FakeControlEngine;
  readonly store: Store;
  readonly interrupt: AbortController;
  /** Sessions that are open. */
  readonly open: number;
  gitSha: string | null;
  input: string;
  /** What commands read; a test that has one sets it. */
  cluster: ClusterReader | null;
  /** What the session's replay does. */
  replay: Session['replay'];
  coxswain(...args: string[]): Promise<Outcome>;
  addRun(runId: string): Promise<void>;
  finishRun(runId: string, status?: 'completed' | 'failed' | 'cancelled'): Promise<void>;
}

export function createCliFixture(): CliFixture {
  const engine = new FakeRunEngine();
  const control = new FakeControlEngine();
  const store = createMemoryStore();
  const interrupt = new AbortController();
  const spec = parseRunSpec(rawSpec);
  const hash = specSha256(spec);
  let open = 0;
  const fixture: CliFixture = {
    engine,
    control,
    store,
    interrupt,
    get open() {
      return open;
    },
    gitSha: null,
    input: '',
    cluster: null,
    replay: async () => ({ steps: 0, policyAnswers: 0 }),
    async coxswain(...args) {
      let output = '';
      let errors = '';
      const context: CommandContext = {
        output: { write: (text) => (output += text) },
        errors: { write: (text) => (errors += text) },
        readInput: async () => fixture.input,
        interrupted: interrupt.signal,
        open: async () => {
          open++;
          const close = async (): Promise<void> => void open--;
          const connected = { client: clientOn(engine, control, store), addresses: {}, intervalMs: 5, close };
          return { ...connected, gitSha: fixture.gitSha, replay: fixture.replay };
        },
        openCluster: async () => fixture.cluster ?? assert.fail('this test has no cluster'),
      };
      const code = await runProgram(context, args);
      return { code, output, errors };
    },
    async addRun(runId) {
      await engine.start({ runId, spec, specSha256: hash });
      await store.runs.createRun({ runId, spec, specSha256: hash, at: new Date() });
    },
    async finishRun(runId, status = 'completed') {
      const failure =
        status === 'failed' ? ({ code: 'TRACE_UNREADABLE', message: 'line 7', step: 'collect' } as const) : null;
      const report = { ...sampleReport, runId, status, failure };
      await store.runs.finishRun(runId, { status, step: 'register', failure, report, at: new Date() });
      engine.end(runId, status);
    },
  };
  return fixture;
}
