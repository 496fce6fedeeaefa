/** What the API needs to know about its surroundings. */
export interface ApiSettings {
  /** Address to listen on; another than loopback needs `token`. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Bearer token of every request, or null when none is asked for. */
  readonly token: string | null;
  /** Key of the webhook's HMAC, or null when the webhook is off. */
  readonly webhookSecret: string | null;
  /** Values of the Host header beyond loopback and `host`: `host` (any port) or `host:port`. */
  readonly allowedHosts: readonly string[];
  /** Origins of pages that may call the API, beyond its own. */
  readonly allowedOrigins: readonly string[];
}

/** Limits of the API. */
export const apiLimits = {
  bodyBytes: 1_000_000,
  /** From the first byte of a request to its last. */
  requestTimeoutMs: 30_000,
  headersTimeoutMs: 10_000,
  heartbeatMs: 15_000,
  /** How old a webhook's timestamp may be, and how far ahead. */
  webhookWindowSeconds: 300,
  readinessTimeoutMs: 3_000,
  maxConnections: 500,
  /** Time between two looks at a run that somebody follows. */
  watchIntervalMs: 1_000,
} as const;

export type ApiLimits = { readonly [Name in keyof typeof apiLimits]: number };
