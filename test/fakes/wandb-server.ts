import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { graphql } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { md5Of, WandbArtifacts } from './wandb-artifact-state.ts';
import { wandbResolvers } from './wandb-resolvers.ts';
import { WandbRuns } from './wandb-run-state.ts';
import { wandbSchema } from './wandb-schema.ts';

/** A request as a fault sees it. */
export interface WandbRequest {
  /** Counts from 1. */
  readonly number: number;
  readonly kind: 'graphql' | 'stream' | 'storage' | 'other';
  /** Operation of a GraphQL request, else the path. */
  readonly name: string;
}

/** What goes wrong with a request. */
export type WandbFault =
  /** Answers with a status instead of doing what was asked. */
  | {
      readonly do: 'refuse';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** 200 with a GraphQL error, nothing done. */
  | { readonly do: 'graphql-error'; readonly message: string }
  /** Never answers, nothing done. */
  | { readonly do: 'hang' }
  /** Closes the connection, nothing done. */
  | { readonly do: 'drop' }
  /** Does what was asked and closes the connection without an answer. */
  | { readonly do: 'drop-answer' }
  /** Does what was asked and breaks off in the middle of the answer. */
  | { readonly do: 'break-answer' }
  /** Waits before doing what was asked. */
  | { readonly do: 'delay'; readonly ms: number };

/**
 * A stand-in for W&B on the loopback: GraphQL by W&B's own published schema, file streams and storage.
 *
 * It is honest: it recomputes MD5s, manifests and digests, and notes in `violations` what must never happen (gaps in a
 * stream, other bytes at an offset, credentials sent to storage).
 */
export interface WandbServer {
  readonly url: string;
  readonly runs: WandbRuns;
  readonly artifacts: WandbArtifacts;
  readonly violations: readonly string[];
  readonly requests: readonly WandbRequest[];
  /** Asked for each request; null = nothing goes wrong. */
  fault: (request: WandbRequest) => WandbFault | null;
  close(): Promise<void>;
}

/** Starts a stand-in that accepts one API key. */
export async function startWandbServer(options: {
  apiKey: string;
  entity?: string;
  port?: number;
}): Promise<WandbServer> {
  const violations: string[] = [];
  const requests: WandbRequest[] = [];
  const runs = new WandbRuns(violations);
  const artifacts = new WandbArtifacts();
  const http = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) answer(response, 500, { error: String(error) });
    });
  });
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const state = { entity: options.entity ?? 'acme', runs, artifacts, url: () => url };
  const context: Context = {
    options,
    violations,
    schema: wandbSchema(),
    resolvers: wandbResolvers(state),
    runs,
    artifacts,
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const seen = describe(request, body, requests.length + 1);
    requests.push(seen);
    const fault = server.fault(seen);
    if (fault?.do === 'hang') return;
    if (fault?.do === 'drop') return void request.socket.destroy();
    if (fault?.do === 'refuse') return answer(response, fault.status, fault.body ?? 'refused', fault.headers);
    if (fault?.do === 'graphql-error')
      return answer(response, 200, { data: null, errors: [{ message: fault.message }] });
    if (fault?.do === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    const [status, result] = await respond(context, request, seen, body);
    if (fault?.do === 'drop-answer') return void request.socket.destroy();
    if (fault?.do === 'break-answer') return breakOff(response, request);
    answer(response, status, result);
  }

  const server: WandbServer = {
    url,
    runs,
    artifacts,
    violations,
    requests,
    fault: () => null,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

interface Context {
  readonly options: { apiKey: string };
  readonly violations: string[];
  readonly schema: GraphQLSchema;
  readonly resolvers: Record<string, unknown>;
  readonly runs: WandbRuns;
  readonly artifacts: WandbArtifacts;
}

type Reply = [status: number, body: unknown];

async function respond(context: Context, request: IncomingMessage, seen: WandbRequest, body: Buffer): Promise<Reply> {
  if (seen.kind === 'other') return [404, { error: 'not found' }]; // for example the official client's telemetry
  if (seen.kind === 'storage') return store(context, request, body);
  const expected = `Basic ${Buffer.from(`api:${context.options.apiKey}`).toString('base64')}`;
  if (request.headers.authorization !== expected) return [401, { error: 'invalid API key' }];
  const parsed = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  return seen.kind === 'graphql' ? runGraphql(context, parsed) : stream(context, seen.name, parsed);
}

async function runGraphql({ schema, resolvers, violations }: Context, body: Record<string, unknown>): Promise<Reply> {
  const result = await graphql({
    schema,
    source: String(body.query),
    rootValue: resolvers,
    variableValues: body.variables as Record<string, unknown>,
    operationName: (body.operationName as string) || undefined, // some clients send an empty one
  });
  const isInvalid = result.data === undefined;
  if (isInvalid) violations.push(`invalid GraphQL: ${result.errors?.map(({ message }) => message).join('; ')}`);
  return [isInvalid ? 400 : 200, result];
}

function stream({ runs }: Context, path: string, body: Record<string, unknown>): Reply {
  const [, , entity, project, name] = path.split('/').map(decodeURIComponent);
  const run = runs.find(entity, project, name);
  if (run === null) return [404, { error: 'no such run' }];
  const problem = runs.stream(run, body);
  return problem === null
    ? [200, { exitcode: null, limits: {}, ...(run.stopRequested ? { stopped: true } : {}) }]
    : [400, { error: problem }];
}

function store({ artifacts, violations }: Context, request: IncomingMessage, body: Buffer): Reply {
  const upload = artifacts.uploads.get(request.url?.split('/').at(-1) ?? '');
  if (upload === undefined) return [403, 'no such signature'];
  if (request.headers.authorization !== undefined) violations.push(`credentials were sent to storage`);
  if (request.method === 'GET') return [upload.bytes === null ? 404 : 200, upload.bytes];
  if (upload.md5 !== null && request.headers['content-md5'] !== upload.md5)
    return [403, 'the signed header is missing'];
  if (upload.md5 !== null && md5Of(body) !== upload.md5) return [400, 'the bytes do not have the announced MD5'];
  if (request.headers['content-type']?.startsWith('text/')) return [403, 'an unsigned content type'];
  upload.bytes = body;
  return [200, ''];
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function describe(request: IncomingMessage, body: Buffer, number: number): WandbRequest {
  const path = request.url ?? '/';
  if (path.startsWith('/storage/')) return { number, kind: 'storage', name: path };
  if (path.endsWith('/file_stream')) return { number, kind: 'stream', name: path };
  if (path !== '/graphql') return { number, kind: 'other', name: path };
  const { query = '' } = JSON.parse(body.toString('utf8') || '{}') as { query?: string };
  return { number, kind: 'graphql', name: /(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? path };
}

function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const isRaw = Buffer.isBuffer(body) || typeof body === 'string';
  response.writeHead(status, { 'content-type': isRaw ? 'application/octet-stream' : 'application/json', ...headers });
  response.end(isRaw ? body : JSON.stringify(body));
}

function breakOff(response: ServerResponse, request: IncomingMessage): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"data":');
  setImmediate(() => request.socket.destroy());
}
