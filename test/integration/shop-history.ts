import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { obtainPrometheus } from '../../scripts/local-services/obtain-prometheus.ts';
import { startPrometheus } from '../../scripts/local-services/prometheus-server.ts';
import { removeTestData, testDataFolder } from '../../scripts/local-services/test-data.ts';
import type { MetricShop } from '../fakes/metric-shop.ts';
import { importHistory } from './mesh-history.ts';

/** A Prometheus that has scraped a shop every `every` seconds for a time that is over. */
export async function prometheusWithHistory(
  t: TestContext,
  shop: MetricShop,
  { from, to, every, isUp = () => true }: { from: number; to: number; every: number; isUp?: (s: number) => boolean },
): Promise<string> {
  const dataFolder = testDataFolder();
  const lines: string[] = [];
  // Scrapes are not on the grid of the bins.
  for (let at = from + 3.2; at < to; at += every) {
    if (isUp(at)) lines.push(...shop.linesAt(at).map((line) => `${line} ${at.toFixed(3)}`));
  }
  const file = join(dataFolder, 'history.om');
  writeFileSync(file, `${lines.join('\n')}\n# EOF\n`);
  const { prometheus: program, promtool } = await obtainPrometheus();
  await importHistory(promtool, file, dataFolder);
  const server = await startPrometheus({ program, dataFolder, scrape: [], lookbackSeconds: 5 * every });
  t.after(async () => {
    await server.stop();
    await removeTestData(dataFolder);
  });
  return server.url;
}
