/** A real Prometheus for integration tests, one for each test that asks. */
import { obtainPrometheus } from './obtain-prometheus.ts';
import type { PrometheusPrograms } from './obtain-prometheus.ts';
import type { ProgramsOrSkip } from './programs-or-skip.ts';
import { programsOrSkip } from './programs-or-skip.ts';
import type { PrometheusOptions, PrometheusServer } from './prometheus-server.ts';
import { startPrometheus } from './prometheus-server.ts';
import { removeTestData, testDataFolder } from './test-data.ts';

/** Prometheus's programs, or why tests that need them are skipped. */
export function prometheusOrSkip(): Promise<ProgramsOrSkip<PrometheusPrograms>> {
  return programsOrSkip('prometheus');
}

/** Starts Prometheus on data of its own, which `stop` removes: call it in `after`. Throws when it cannot be had. */
export async function startTestPrometheus(
  options: Omit<PrometheusOptions, 'program' | 'dataFolder'>,
): Promise<PrometheusServer> {
  const { prometheus: program } = await obtainPrometheus();
  const dataFolder = testDataFolder();
  const stop = () => removeTestData(dataFolder);
  const server = await startPrometheus({ ...options, program, dataFolder }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    ...server,
    stop: async () => {
      await server.stop();
      await stop();
    },
  };
}
