import type { Request, Response } from 'express';
import { z } from 'zod';
import { CoxswainError } from '../contracts/errors.ts';
import type { ErrorCode } from '../contracts/errors.ts';

/** Who may call: `open` everybody, `token` holders of the bearer token, `signature` senders of a signed body. */
export type Access = 'open' | 'token' | 'signature';

/** An answer: JSON unless `type` says otherwise. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Media type; the body is then text. */
  readonly type?: string;
}

/** What a handler gets: everything checked. */
export interface Call<Path, Query> {
  readonly path: Path;
  readonly query: Query;
  /** Bytes of the body; empty when the operation takes none. */
  readonly body: Buffer;
  readonly request: Request;
  readonly response: Response;
}

/** What the OpenAPI document says of a body. */
export interface BodyDescription {
  readonly description: string;
  /** By media type: a name under components/schemas. */
  readonly content: Readonly<Record<string, { readonly schema: string; readonly example?: unknown }>>;
}

/** What the OpenAPI document says of a successful answer. */
export interface ReplyDescription {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default application/json. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One operation of the API: the router and the OpenAPI document are both made of it. */
export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/api/v1/runs/{id}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly pathParameters: z.ZodObject;
  readonly queryParameters: z.ZodObject;
  /** Request headers with a meaning here, and what it is. */
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly required: boolean }>>;
  readonly body?: BodyDescription;
  readonly replies: Readonly<Record<number, ReplyDescription>>;
  /** Schemas of the data of its server-sent events, by their names. */
  readonly events?: Readonly<Record<string, z.ZodType>>;
  /** Codes of its problem documents, beyond those that every operation may give. */
  readonly errors: readonly ErrorCode[];
  /** Null when the handler has answered by itself. */
  handle(call: Call<unknown, unknown>): Promise<Reply | null>;
}

interface OperationDraft<Path extends z.ZodObject, Query extends z.ZodObject> extends Omit<
  Operation,
  'pathParameters' | 'queryParameters' | 'handle' | 'access' | 'errors'
> {
  readonly access?: Access;
  readonly errors?: readonly ErrorCode[];
  readonly pathParameters?: Path;
  readonly queryParameters?: Query;
  handle(call: Call<z.output<Path>, z.output<Query>>): Promise<Reply | null>;
}

const nothing = z.strictObject({});

/** An {@link Operation} whose handler gets its parameters with their types. Default access: `token`. */
export function operation<Path extends z.ZodObject = typeof nothing, Query extends z.ZodObject = typeof nothing>(
  draft: OperationDraft<Path, Query>,
): Operation {
  return {
    access: 'token',
    errors: [],
    pathParameters: nothing,
    queryParameters: nothing,
    ...draft,
    handle: draft.handle as Operation['handle'],
  };
}

/**
 * Parameters checked against their schema.
 * @throws CoxswainError REQUEST_INVALID with a line for each broken rule; unknown parameters are one.
 */
export function checked<Schema extends z.ZodType>(schema: Schema, input: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${what}: unknown ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
      : `${[what, ...issue.path].join(' ')}: ${issue.message}`,
  );
  throw new CoxswainError('REQUEST_INVALID', lines.join('\n'));
}
