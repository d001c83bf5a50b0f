/** How a code travels over HTTP, and whether the same request may succeed later. */
export interface CodeMeaning {
  /** HTTP status. `unknown_action` exists in frames only; its number is what HTTP would say. */
  readonly status: number;
  readonly retryable: boolean;
  /** The `title` of a problem document. */
  readonly title: string;
}

/** Every error code there is, for frames and for problem documents (RFC 9457) alike. */
export const CODES = {
  bad_request: { status: 400, retryable: false, title: "Bad request" },
  unknown_action: { status: 400, retryable: false, title: "Unknown action" },
  invalid_topic: { status: 400, retryable: false, title: "Invalid topic" },
  unauthorized: { status: 401, retryable: false, title: "Unauthorized" },
  forbidden: { status: 403, retryable: false, title: "Forbidden" },
  not_found: { status: 404, retryable: false, title: "Not found" },
  payload_too_large: { status: 413, retryable: false, title: "Payload too large" },
  too_many_subscriptions: { status: 429, retryable: false, title: "Too many subscriptions" },
  rate_limited: { status: 429, retryable: true, title: "Rate limited" },
  quota_exceeded: { status: 429, retryable: false, title: "Quota exceeded" },
  unavailable: { status: 503, retryable: true, title: "Unavailable" },
  internal: { status: 500, retryable: true, title: "Internal error" },
} as const satisfies Record<string, CodeMeaning>;

export type ErrorCode = keyof typeof CODES;

/** What is wrong, in a form that fits an `error` frame and a problem document. */
export interface Fault {
  readonly code: ErrorCode;
  /** One sentence for a developer: names the field and the way out. */
  readonly message: string;
  /** The bound that was crossed: bytes for `payload_too_large`, topics for `too_many_subscriptions`. */
  readonly limit?: number;
  /** Ms after which a retry may succeed. */
  readonly retryAfter?: number;
}

/** A value, or why there is none. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(
  code: ErrorCode,
  message: string,
  limit?: number,
): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault: limit === undefined ? { code, message } : { code, message, limit } };
}
