/** Writes the pages and schemas that are made of code; tests keep them equal. Run it when one of those is red. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { configurationPage } from '../config/configuration-page.ts';
import { requiredRights } from '../src/cluster/kubernetes/required-rights.ts';
import { algorithmsPage } from '../src/rl/algorithms-page.ts';
import { algorithms } from '../src/rl/algorithms/index.ts';
import { withTables } from '../src/rl/environments/environment-page.ts';
import { environments } from '../src/rl/environments/index.ts';
import { metricsPage } from '../src/rl/metrics.ts';
import { deploymentSpecJsonSchema } from '../src/spec/deployment-spec.ts';
import { errorsPage } from '../src/spec/errors-page.ts';
import { withFields } from '../src/spec/spec-fields.ts';
import { runSpecJsonSchema } from '../src/spec/run-spec.ts';
import { operationsPage } from '../src/tensor/operations-page.ts';
import { rightsFile, withValuesTable } from './chart-reference.ts';

const root = join(import.meta.dirname, '..');
const chart = join(root, 'deploy/helm/coxswain');
const specs = [
  { schema: runSpecJsonSchema(), file: 'config/run-spec.schema.json', guide: 'docs/guides/run-spec.md' },
  { schema: deploymentSpecJsonSchema(), file: 'config/deployment.schema.json', guide: 'docs/guides/deployments.md' },
];

writeFileSync(join(root, 'docs/configuration.md'), configurationPage());
writeFileSync(join(root, 'docs/errors.md'), errorsPage());
writeFileSync(join(root, 'docs/tensor/operations.md'), operationsPage());
writeFileSync(join(root, 'docs/metrics.md'), metricsPage());
writeFileSync(join(root, 'docs/algorithms.md'), algorithmsPage(algorithms));
for (const { schema, file, guide } of specs) {
  const page = join(root, guide);
  writeFileSync(join(root, file), await format(JSON.stringify(schema), { parser: 'json', printWidth: 120 }));
  writeFileSync(page, withFields(readFileSync(page, 'utf8'), schema));
}
writeFileSync(join(chart, 'files/rights.json'), rightsFile(requiredRights));
const chartPage = withValuesTable(
  readFileSync(join(chart, 'README.md'), 'utf8'),
  readFileSync(join(chart, 'values.yaml'), 'utf8'),
);
writeFileSync(join(chart, 'README.md'), await format(chartPage, { parser: 'markdown', printWidth: 120 }));
for (const kind of Object.values(environments)) {
  const page = join(root, 'docs/environments', `${kind.name}.md`);
  if (existsSync(page)) writeFileSync(page, withTables(readFileSync(page, 'utf8'), kind));
}
