import { z } from 'zod';
import type { CoxswainClient } from '../client/coxswain-client.ts';
import { readRunSpecText } from '../spec/run-spec-text.ts';
import {
  controlEvents,
  controlStatus,
  decisionPage,
  deploymentDetail,
  deploymentList,
  deploymentSummary,
  fallbackRequest,
  modeRequest,
  openedDeployment,
} from './deployment-schemas.ts';
import {
  controlStatusView,
  decisionView,
  deploymentDetailView,
  deploymentLinks,
  deploymentSummaryView,
  eventView,
  openedView,
} from './deployment-views.ts';
import { checked, operation } from './operation.ts';
import type { BodyDescription, Operation } from './operation.ts';
import { formatOf, textOf } from './request-body.ts';
import { wholeNumber } from './schema-parts.ts';

const one = z.strictObject({ name: z.string().min(1).max(63).describe('Name of the deployment.') });

const example = { version: 1, name: 'shop', model: { name: 'online-boutique' }, target: { namespace: 'shop' } };

const specBody: BodyDescription = {
  description: 'A DeploymentSpec, as JSON or as YAML.',
  content: {
    'application/json': { schema: 'DeploymentSpec', example },
    'application/yaml': {
      schema: 'DeploymentSpec',
      example: 'version: 1\nname: shop\nmodel: { name: online-boutique }\ntarget: { namespace: shop }\n',
    },
  },
};

const bodyErrors = ['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const;

/** Everything under /api/v1/deployments. */
export function deploymentOperations({ deployments }: CoxswainClient): Operation[] {
  return [
    operation({
      id: 'openDeployment',
      method: 'post',
      path: '/api/v1/deployments',
      tag: 'Deployments',
      summary: 'Let a registered policy steer workloads',
      description:
        'Starts the control loop. What the cluster says to it is in the deployment itself, whose status is `opening` first. The same spec again, while it runs, is the same deployment; another spec under its name is 409.',
      body: specBody,
      replies: {
        202: {
          description: 'The loop is started, or ran already.',
          schema: openedDeployment,
          headers: { Location: 'The deployment.' },
        },
      },
      errors: ['SPEC_INVALID', 'DEPLOYMENT_CONFLICT', 'SEARCH_ATTRIBUTES_MISSING', ...bodyErrors],
      async handle({ request, body }) {
        const opened = await deployments.open(readBodyValue(request.headers['content-type'], body));
        const view = openedView(opened);
        return { status: 202, body: view, headers: { Location: view.links.self } };
      },
    }),
    operation({
      id: 'listDeployments',
      method: 'get',
      path: '/api/v1/deployments',
      tag: 'Deployments',
      summary: 'List deployments: those that go on, then the newest',
      replies: { 200: { description: 'The deployments.', schema: deploymentList } },
      handle: async () => ({
        status: 200,
        body: { deployments: (await deployments.list()).map(deploymentSummaryView) },
      }),
    }),
    operation({
      id: 'getDeployment',
      method: 'get',
      path: '/api/v1/deployments/{name}',
      tag: 'Deployments',
      summary: 'A deployment with its spec, its workloads and how its loop stands',
      pathParameters: one,
      replies: { 200: { description: 'The deployment.', schema: deploymentDetail } },
      errors: ['DEPLOYMENT_NOT_FOUND'],
      handle: async ({ path }) => ({
        status: 200,
        body: deploymentDetailView(await deployments.status(path.name)),
      }),
    }),
    operation({
      id: 'readDecisions',
      method: 'get',
      path: '/api/v1/deployments/{name}/decisions',
      tag: 'Deployments',
      summary: 'What a deployment has decided, step by step, and why',
      pathParameters: one,
      queryParameters: z.strictObject({
        afterStep: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'Only steps above this one.'),
        last: wholeNumber(1, 1000, 'Only the last so many steps; not together with the others.'),
        limit: wholeNumber(1, 1000, 'Number of steps. Default 200.'),
      }),
      replies: { 200: { description: 'The decisions.', schema: decisionPage } },
      errors: ['DEPLOYMENT_NOT_FOUND'],
      async handle({ path: { name }, query }) {
        const decisions = await deployments.decisions(name, query);
        const limit = query.limit ?? 200;
        const more = query.last === undefined && decisions.length === limit;
        const next = `${deploymentLinks(name).decisions}?afterStep=${decisions.at(-1)?.step ?? 0}&limit=${limit}`;
        return { status: 200, body: { decisions: decisions.map(decisionView), next: more ? next : null } };
      },
    }),
    operation({
      id: 'listDeploymentEvents',
      method: 'get',
      path: '/api/v1/deployments/{name}/events',
      tag: 'Deployments',
      summary: 'What happened to a deployment, newest first',
      pathParameters: one,
      replies: { 200: { description: 'The events.', schema: controlEvents } },
      errors: ['DEPLOYMENT_NOT_FOUND'],
      handle: async ({ path }) => ({
        status: 200,
        body: { events: (await deployments.events(path.name)).map(eventView) },
      }),
    }),
    ...steeringOperations(deployments),
  ];
}

function steeringOperations(deployments: CoxswainClient['deployments']): Operation[] {
  const common = {
    method: 'post',
    tag: 'Deployments',
    pathParameters: one,
    replies: { 200: { description: 'How the loop stands after it.', schema: controlStatus } },
  } as const;
  const errors = ['DEPLOYMENT_NOT_FOUND', 'DEPLOYMENT_NOT_RUNNING'] as const;
  return [
    operation({
      ...common,
      id: 'pauseDeployment',
      path: '/api/v1/deployments/{name}/pause',
      summary: 'Let nobody act until it is resumed',
      errors,
      handle: async ({ path }) => ({ status: 200, body: controlStatusView(await deployments.pause(path.name)) }),
    }),
    operation({
      ...common,
      id: 'resumeDeployment',
      path: '/api/v1/deployments/{name}/resume',
      summary: 'End a pause, and give the policy its place back after a fallback',
      errors,
      handle: async ({ path }) => ({ status: 200, body: controlStatusView(await deployments.resume(path.name)) }),
    }),
    operation({
      ...common,
      id: 'stopDeployment',
      path: '/api/v1/deployments/{name}/stop',
      summary: 'End the loop; owners that were paused are resumed',
      description: 'Without effect on a deployment that is over. One that is `lost` is closed as it should have been.',
      replies: { 200: { description: 'How the deployment stands after it.', schema: deploymentSummary } },
      errors: ['DEPLOYMENT_NOT_FOUND'],
      handle: async ({ path }) => ({ status: 200, body: deploymentSummaryView(await deployments.stop(path.name)) }),
    }),
    operation({
      ...common,
      id: 'setDeploymentMode',
      path: '/api/v1/deployments/{name}/mode',
      summary: 'Only record decisions, or act, from the next step on',
      body: bodyOf('ModeRequest', 'The mode.', { mode: 'live' }),
      errors: [...errors, ...bodyErrors],
      async handle({ path, request, body }) {
        const { mode } = checked(modeRequest, readBodyValue(request.headers['content-type'], body), 'body');
        return { status: 200, body: controlStatusView(await deployments.setMode(path.name, mode)) };
      },
    }),
    operation({
      ...common,
      id: 'fallBackDeployment',
      path: '/api/v1/deployments/{name}/fallback',
      summary: 'Let the calibrated HPA take over',
      body: bodyOf('FallbackRequest', 'Why.', { reason: 'the new checkout looks wrong' }),
      errors: [...errors, ...bodyErrors],
      async handle({ path, request, body }) {
        const { reason } = checked(fallbackRequest, readBodyValue(request.headers['content-type'], body), 'body');
        return { status: 200, body: controlStatusView(await deployments.fallBack(path.name, reason)) };
      },
    }),
  ];
}

function bodyOf(schema: string, description: string, value: unknown): BodyDescription {
  return { description, content: { 'application/json': { schema, example: value } } };
}

/** @throws CoxswainError SPEC_INVALID for text that is no JSON or YAML, UNSUPPORTED_MEDIA_TYPE, REQUEST_INVALID */
function readBodyValue(contentType: string | undefined, body: Buffer): unknown {
  return readRunSpecText(textOf(body), formatOf(contentType));
}
