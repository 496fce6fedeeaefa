import { z } from 'zod';
import { errorTable } from '../contracts/errors.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import { deploymentSpecJsonSchema } from '../spec/deployment-spec.ts';
import { runSpecJsonSchema } from '../spec/run-spec.ts';
import type { JsonSchema } from '../spec/json-schema.ts';
import { fallbackRequest, modeRequest } from './deployment-schemas.ts';
import type { Operation } from './operation.ts';
import { runId } from './schema-parts.ts';
import { problem } from './system-schemas.ts';
import { webhookHeaders } from './webhook-operation.ts';

/** An OpenAPI 3.1 document, as far as it is read here. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly OpenApiParameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly description: string;
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>;
  };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
  /** Schemas of the data of server-sent events, by their names. */
  readonly 'x-events'?: Readonly<Record<string, JsonSchema>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

const tags = [
  { name: 'Runs', description: 'Start, watch and steer runs of a pipeline.' },
  { name: 'Models', description: 'What runs have registered.' },
  { name: 'Deployments', description: 'Let policies steer, watch and steer their loops.' },
  { name: 'Webhooks', description: 'For CI systems.' },
  { name: 'System', description: 'This process.' },
];

const description =
  'Coxswain trains policies that steer Kubernetes, proves them against the best calibrated autoscaler, registers them and lets them steer. Errors are problem documents; every code is explained in docs/errors.md. Unknown fields and query parameters are refused.';

/** Codes that any operation may answer with. */
const everywhere: readonly ErrorCode[] = [
  'REQUEST_INVALID',
  'FORBIDDEN',
  'METHOD_NOT_ALLOWED',
  'TEMPORAL_UNAVAILABLE',
  'STORE_UNAVAILABLE',
  'INTERNAL',
];

/** The document of the given operations. Schemas with an id become components. */
export function openApiDocument(
  operations: readonly Operation[],
  { version, asksForToken }: { readonly version: string; readonly asksForToken: boolean },
): OpenApiDocument {
  const components: Record<string, JsonSchema> = {
    ...runSpecComponents(),
    RunRequest: runRequestSchema,
    DeploymentSpec: withoutDialect(deploymentSpecJsonSchema()),
    ModeRequest: inputSchema(modeRequest),
    FallbackRequest: inputSchema(fallbackRequest),
  };
  const schemaOf = (schema: z.ZodType): JsonSchema => lifted(schema, components);
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const each of operations) {
    paths[each.path] ??= {};
    paths[each.path][each.method] = describe(each, schemaOf, asksForToken);
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Coxswain API', version, description },
    tags,
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'COXSWAIN_API_TOKEN; not asked for when it is unset.' },
        signature: {
          type: 'apiKey',
          in: 'header',
          name: webhookHeaders.signature,
          description: 'HMAC of the request.',
        },
      },
    },
  };
}

/** The RunSpec, and the recursive schema of a JSON value that it names by a generated name. */
function runSpecComponents(): Record<string, JsonSchema> {
  const { $defs = {}, ...spec } = withoutDialect(runSpecJsonSchema());
  const parts = Object.entries($defs as Record<string, JsonSchema>);
  const named = (schema: JsonSchema): JsonSchema =>
    renamed(JSON.parse(JSON.stringify(schema).replaceAll('#/$defs/__schema', '#/$defs/JsonValue')) as JsonSchema);
  const lift = ([name, part]: [string, JsonSchema]) => [name.replace('__schema', 'JsonValue'), named(part)] as const;
  return { RunSpec: named(spec), ...Object.fromEntries(parts.map(lift)) };
}

/** What somebody sends, so that what has a default may be left out. */
function inputSchema(schema: z.ZodType): JsonSchema {
  return withoutDialect(z.toJSONSchema(schema, { io: 'input' }) as JsonSchema);
}

const runRequestSchema: JsonSchema = {
  description: 'A RunSpec, or an envelope around one.',
  anyOf: [
    { $ref: '#/components/schemas/RunSpec' },
    {
      type: 'object',
      properties: {
        id: withoutDialect(z.toJSONSchema(runId) as JsonSchema),
        spec: { $ref: '#/components/schemas/RunSpec' },
      },
      required: ['spec'],
      additionalProperties: false,
    },
  ],
};

function describe(
  each: Operation,
  schemaOf: (schema: z.ZodType) => JsonSchema,
  asksForToken: boolean,
): OpenApiOperation {
  const { id, tag, summary, description: text, access, body } = each;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(text === undefined ? {} : { description: text }),
    security: securityOf(access, asksForToken),
    parameters: parametersOf(each),
    ...(body && { requestBody: { required: true, description: body.description, content: bodyContent(body.content) } }),
    responses: { ...successes(each, schemaOf), ...failures(each, schemaOf) },
    ...(each.events && { 'x-events': mapValues(each.events, schemaOf) }),
  };
}

/** An empty requirement says that the other one may be left out. */
function securityOf(access: Operation['access'], asksForToken: boolean): OpenApiOperation['security'] {
  if (access === 'open') return [];
  const isOptional = access === 'token' && !asksForToken;
  return [...(isOptional ? [{}] : []), { [access]: [] }];
}

function mapValues<From, To>(entries: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, change(value)]));
}

function bodyContent(content: NonNullable<Operation['body']>['content']) {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema, example }]) => [
      type,
      { schema: { $ref: `#/components/schemas/${schema}` }, ...(example === undefined ? {} : { example }) },
    ]),
  );
}

function parametersOf({ pathParameters, queryParameters, headers = {} }: Operation): OpenApiParameter[] {
  const named = Object.entries(headers).map(([name, header]): OpenApiParameter => ({
    name,
    in: 'header',
    ...header,
    schema: { type: 'string' },
  }));
  return [...fieldsOf(pathParameters, 'path'), ...fieldsOf(queryParameters, 'query'), ...named];
}

function fieldsOf(object: z.ZodObject, place: 'path' | 'query'): OpenApiParameter[] {
  // The output side: a query holds text, but what it means is a number.
  const { properties = {}, required } = z.toJSONSchema(object, { io: 'output' }) as JsonSchema;
  return Object.entries(properties).map(([name, { description: text, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || (required as readonly string[] | undefined)?.includes(name) === true,
    ...(typeof text === 'string' ? { description: text } : {}),
    schema,
  }));
}

function successes(
  { replies }: Operation,
  schemaOf: (schema: z.ZodType) => JsonSchema,
): Record<string, OpenApiResponse> {
  return Object.fromEntries(
    Object.entries(replies).map(([status, { description: text, schema, type = 'application/json', headers }]) => [
      status,
      {
        description: text,
        ...(headers && {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, meaning]) => [
              name,
              { description: meaning, schema: { type: 'string' } },
            ]),
          ),
        }),
        ...(status === '204'
          ? {}
          : { content: { [type]: { schema: schema ? schemaOf(schema) : { type: 'string' } } } }),
      },
    ]),
  );
}

function failures(each: Operation, schemaOf: (schema: z.ZodType) => JsonSchema): Record<string, OpenApiResponse> {
  const codes = new Set<ErrorCode>([...each.errors, ...everywhere]);
  if (each.access === 'token') codes.add('UNAUTHENTICATED');
  const content = { 'application/problem+json': { schema: schemaOf(problem) } };
  const statuses = [...new Set([...codes].map((code) => errorTable[code].status as number))].sort((a, b) => a - b);
  const entries = statuses
    .filter((status) => !(status in each.replies))
    .map((status): [string, OpenApiResponse] => {
      const found = [...codes].filter((code) => errorTable[code].status === status);
      return [String(status), { description: found.join(', '), content }];
    });
  return Object.fromEntries(entries);
}

/** The schema with every part that has an id moved to the components and named by reference. */
function lifted(schema: z.ZodType, components: Record<string, JsonSchema>): JsonSchema {
  const { $defs = {}, ...rest } = withoutDialect(
    z.toJSONSchema(schema, {
      io: 'output',
      override: ({ jsonSchema }) => {
        // The format says it; the pattern is a page long.
        if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      },
    }) as JsonSchema,
  );
  for (const [name, part] of Object.entries($defs as Record<string, JsonSchema>)) components[name] ??= renamed(part);
  return renamed(rest);
}

/** References into `$defs` as references to the components. */
function renamed(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema;
}

function withoutDialect({ $schema: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}
