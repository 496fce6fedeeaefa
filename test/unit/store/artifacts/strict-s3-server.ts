import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does to the next requests in place of answering them. */
export type Misbehaviour = 'hang' | 'drop' | { readonly status: number; readonly code?: string };

/** A small S3 server in this process that believes nothing: it checks signature, hashes, date and conditions itself. */
export interface StrictS3Server {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string;
  readonly port: number;
  readonly objects: Map<string, Buffer>;
  /** `METHOD key` of the requests that passed the checks, in order. */
  readonly log: string[];
  /** Applied to the next requests, one each. */
  readonly misbehaviours: Misbehaviour[];
  /** Answers conditional writes with 501, as servers do that know none. */
  withoutConditions: boolean;
  close(): Promise<void>;
}

export const strictBucket = 'artifacts-of-test';
export const strictRegion = 'eu-central-1';
export const strictCredentials = {
  accessKeyId: 'AKIDSTRICT',
  secretAccessKey: 'secret/of+the=test',
  sessionToken: 'a-session-token',
};

/** Starts the server on a free loopback port. It answers to `/bucket/key` and to the host `bucket.<anything>`. */
export async function startStrictS3Server(): Promise<StrictS3Server> {
  const state: Omit<StrictS3Server, 'endpoint' | 'port' | 'close'> = {
    objects: new Map(),
    log: [],
    misbehaviours: [],
    withoutConditions: false,
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(state, request, Buffer.concat(chunks), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

type State = Pick<StrictS3Server, 'objects' | 'log' | 'misbehaviours' | 'withoutConditions'>;

function answer(state: State, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const misbehaviour = state.misbehaviours.shift();
  if (misbehaviour === 'hang') return;
  if (misbehaviour === 'drop') return void request.socket.destroy();
  if (misbehaviour !== undefined) return refuse(response, misbehaviour.status, misbehaviour.code ?? 'InternalError');
  const problem = signatureProblem(request, body);
  if (problem !== null) return refuse(response, 403, problem);
  const [bucket, key] = bucketAndKey(request);
  if (bucket !== strictBucket) return refuse(response, 404, 'NoSuchBucket');
  state.log.push(`${request.method} ${key}`);
  if (request.method === 'PUT') return put(state, key, request, body, response);
  const object = state.objects.get(key);
  if (object === undefined) return refuse(response, 404, 'NoSuchKey');
  response.writeHead(200, { 'content-length': object.length, 'x-amz-checksum-sha256': sha256Of(object, 'base64') });
  response.end(request.method === 'GET' ? object : undefined);
}

function put(state: State, key: string, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const conditional = request.headers['if-none-match'] === '*';
  if (conditional && state.withoutConditions) return refuse(response, 501, 'NotImplemented');
  if (conditional && state.objects.has(key)) return refuse(response, 412, 'PreconditionFailed');
  if (request.headers['x-amz-checksum-sha256'] !== sha256Of(body, 'base64')) return refuse(response, 400, 'BadDigest');
  state.objects.set(key, body);
  response.writeHead(200).end();
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>refused by the test</Message></Error>`);
}

function bucketAndKey(request: IncomingMessage): [string, string] {
  const host = request.headers.host ?? '';
  const path = decodeURIComponent((request.url ?? '').slice(1));
  if (host.startsWith(`${strictBucket}.`)) return [strictBucket, path];
  const [bucket = '', ...key] = path.split('/');
  return [bucket, key.join('/')];
}

/** The code of S3's refusal, or null. Signature version 4 as AWS documents it, written without the client's library. */
function signatureProblem(request: IncomingMessage, body: Buffer): string | null {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      header('authorization'),
    );
  if (match === null) return 'AccessDenied';
  const [, accessKeyId, day, region, signedHeaders, signature] = match as unknown as string[];
  if (accessKeyId !== strictCredentials.accessKeyId) return 'InvalidAccessKeyId';
  if (header('x-amz-security-token') !== strictCredentials.sessionToken) return 'InvalidToken';
  if (region !== strictRegion) return 'AuthorizationHeaderMalformed';
  const date = header('x-amz-date');
  if (!isRecent(date) || !date.startsWith(day!)) return 'RequestTimeTooSkewed';
  const names = signedHeaders!.split(';');
  const mustBeSigned = Object.keys(request.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (mustBeSigned.some((name) => !names.includes(name))) return 'AccessDenied';
  const bodySha256 = sha256Of(body, 'hex');
  if (header('x-amz-content-sha256') !== bodySha256) return 'XAmzContentSHA256Mismatch';
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const canonicalHeaders = names.map((name) => `${name}:${header(name).trim()}\n`).join('');
  const canonical = [request.method, path, query, canonicalHeaders, signedHeaders, bodySha256].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256Of(Buffer.from(canonical), 'hex')].join('\n');
  const key = [day!, region!, 's3', 'aws4_request'].reduce<Buffer>(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    Buffer.from(`AWS4${strictCredentials.secretAccessKey}`),
  );
  const expected = createHmac('sha256', key).update(toSign).digest();
  return timingSafeEqual(expected, Buffer.from(signature!, 'hex')) ? null : 'SignatureDoesNotMatch';
}

function isRecent(date: string): boolean {
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return Math.abs(Date.now() - Date.parse(iso)) < 15 * 60_000;
}

function sha256Of(bytes: Uint8Array, encoding: 'hex' | 'base64'): string {
  return createHash('sha256').update(bytes).digest(encoding);
}
