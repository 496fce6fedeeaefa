import { z } from 'zod';
import type { CoxswainClient } from '../client/coxswain-client.ts';
import { operation } from './operation.ts';
import type { Operation } from './operation.ts';
import { modelDetail, modelList } from './model-schemas.ts';
import { modelListView, modelView } from './views.ts';

/** Everything under /api/v1/models. */
export function modelOperations({ models }: CoxswainClient): Operation[] {
  return [
    operation({
      id: 'listModels',
      method: 'get',
      path: '/api/v1/models',
      tag: 'Models',
      summary: 'List the registered models',
      replies: { 200: { description: 'The models.', schema: modelList } },
      handle: async () => ({ status: 200, body: modelListView(await models.list()) }),
    }),
    operation({
      id: 'getModel',
      method: 'get',
      path: '/api/v1/models/{name}',
      tag: 'Models',
      summary: 'A model with its versions, aliases and their history',
      pathParameters: z.strictObject({ name: z.string().min(1).max(255).describe('Name of the model.') }),
      replies: { 200: { description: 'The model.', schema: modelDetail } },
      errors: ['MODEL_NOT_FOUND'],
      handle: async ({ path }) => ({ status: 200, body: modelView(await models.get(path.name)) }),
    }),
  ];
}
