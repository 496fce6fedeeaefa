import { placementV1 } from '../../../../../src/rl/environments/placement/placement-v1.ts';
import { placementV2 } from '../../../../../src/rl/environments/placement/placement-v2.ts';
import { placementV3 } from '../../../../../src/rl/environments/placement/placement-v3.ts';
import { documentationSuite } from '../documentation-suite.ts';

documentationSuite('placement.md', [placementV1, placementV2, placementV3]);
