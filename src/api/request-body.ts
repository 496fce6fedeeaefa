import type { IncomingMessage, ServerResponse } from 'node:http';
import { CoxswainError } from '../contracts/errors.ts';

/**
 * The bytes of a request's body.
 *
 * 1. A body above `limit` is refused as soon as its length is announced or that many bytes came; the rest is not read.
 * 2. A compressed body is refused: its size would say nothing about what it becomes.
 *
 * @throws CoxswainError BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, REQUEST_INVALID when it breaks off.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new CoxswainError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding.');
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const stop = (error: CoxswainError): void => {
      request.pause().off('data', take);
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limit) stop(tooLarge(limit));
      else chunks.push(chunk);
    };
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => stop(new CoxswainError('REQUEST_INVALID', 'The request ended before its body did.')));
    request.once('error', () => stop(new CoxswainError('REQUEST_INVALID', 'The request broke off in its body.')));
  });
}

/** The body as text. @throws CoxswainError REQUEST_INVALID when it is not UTF-8. */
export function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new CoxswainError('REQUEST_INVALID', 'The body is not UTF-8.', { cause: error });
  }
}

/** The format that a Content-Type announces. @throws CoxswainError UNSUPPORTED_MEDIA_TYPE */
export function formatOf(contentType: string | undefined): 'json' | 'yaml' {
  const [type, ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (isUtf8 && type === 'application/json') return 'json';
  if (isUtf8 && ['application/yaml', 'application/x-yaml', 'text/yaml'].includes(type)) return 'yaml';
  const shown = contentType === undefined ? 'nothing' : JSON.stringify(contentType.slice(0, 100));
  throw new CoxswainError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Content-Type: found ${shown}; allowed: application/json, application/yaml (UTF-8)`,
  );
}

/** Whether the request announces a body. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

/** Bytes of an unread body that are not worth a connection: Node reads them away by itself. */
const shortBody = 65_536;

/** True when a body is coming in that nobody reads and that is, or may be, long. */
export function isLongBodyUnread(request: IncomingMessage): boolean {
  const announced = Number(request.headers['content-length'] ?? Infinity);
  return hasBody(request) && !request.complete && announced > shortBody;
}

const lingerMs = 2_000;

/**
 * Answers a request whose body was not read, and gives up its connection. Closing at once would reset the connection, and
 * a caller that still sends would lose the answer: so the answer goes out whole, and the connection closes when the
 * caller has closed it or after two seconds, with nothing more read.
 */
export function answerUnread(request: IncomingMessage, response: ServerResponse, body: string): void {
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
    request.socket.destroySoon();
  };
  const timer = setTimeout(end, lingerMs);
  request.socket.once('close', end);
}

function tooLarge(limit: number): CoxswainError {
  return new CoxswainError('BODY_TOO_LARGE', `The body is above ${limit} bytes.`);
}
