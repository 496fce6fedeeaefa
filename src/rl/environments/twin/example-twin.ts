import type { FittedApplications } from '../../twin/twin.ts';
import { onlineBoutiqueApplication } from '../online-boutique/online-boutique-application.ts';
import { boutiqueGraph } from '../service-graph/boutique-graph.ts';

/** Online Boutique in place of a twin, for checks of parameters and spaces before there is one. */
export const exampleTwin: FittedApplications = {
  application: onlineBoutiqueApplication,
  graph: boutiqueGraph,
  changesPerHour: 12,
};
