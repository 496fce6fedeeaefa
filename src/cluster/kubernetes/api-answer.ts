import type { Incoming } from './api-exchange.ts';
import type { ApiStatus } from './api-objects.ts';
import type { ApiMethod } from './api-resources.ts';

/** What to do after a request was sent. */
export type Verdict =
  /** It did what it was asked. */
  | { readonly kind: 'done'; readonly answer: Incoming }
  | { readonly kind: 'refused'; readonly answer: Incoming }
  /** Ask again later; `waitMs` is what the server wants to be waited, null when it does not say. */
  | { readonly kind: 'later'; readonly why: string; readonly waitMs: number | null }
  /** The credentials do not fit: they may be old. */
  | { readonly kind: 'stale'; readonly why: string }
  /** It could not, and asking again would not be safe. */
  | { readonly kind: 'failed'; readonly why: string };

const overloaded = [429, 502, 503, 504];

/** Judges an answer by its status. A 429 for the sake of a disruption budget is a refusal, any other means overload. */
export function judge(method: ApiMethod, answer: Incoming): Verdict {
  const { status, headers, text } = answer;
  if (status >= 200 && status < 300) return { kind: 'done', answer };
  if (status === 401) {
    return { kind: 'stale', why: 'The API server does not accept the credentials, also after they were read again' };
  }
  if (overloaded.includes(status) || (status === 500 && method === 'GET')) {
    if (status === 429 && isBudget(statusOf(text))) return { kind: 'refused', answer };
    return { kind: 'later', why: `status ${status}`, waitMs: retryAfterMs(headers['retry-after']) };
  }
  if (status >= 500) return { kind: 'failed', why: `status ${status} ${statusOf(text).message ?? ''}`.trim() };
  return { kind: 'refused', answer };
}

const untrusted = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_)/;

/** Judges a request without an answer. A certificate that is not trusted may have been signed by a new authority. */
export function judgeLoss(error: unknown, why: string): Verdict {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!untrusted.test(code)) return { kind: 'later', why, waitMs: null };
  return {
    kind: 'stale',
    why: `The API server's certificate is not trusted (${code}); check the kubeconfig's authority`,
  };
}

/** The Status object of an answer; an empty one when it is something else, as that of a proxy. */
export function statusOf(text: string): ApiStatus {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    return {};
  }
}

function isBudget({ details }: ApiStatus): boolean {
  return details?.causes?.some(({ reason }) => reason === 'DisruptionBudget') ?? false;
}

/** Seconds, or a date. */
function retryAfterMs(header: string | undefined): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}
