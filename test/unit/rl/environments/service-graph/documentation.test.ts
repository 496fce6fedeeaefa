import { serviceGraph } from '../../../../../src/rl/environments/service-graph/kind.ts';
import { documentationSuite } from '../documentation-suite.ts';

documentationSuite('service-graph.md', [serviceGraph]);
