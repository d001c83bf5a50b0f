/** Whether the same may succeed later. */
export function isPassing(code: string): boolean {
  return /^(rate_limited|unavailable|internal|queue_full)$/.test(code);
}

/** What was refused, by the service or on the way there. */
export class TopicastError extends Error {
  /** The service's, or `queue_full`, `closed`, `invalid_payload`. */
  declare readonly code: string;
  /** Whether the same may succeed later. */
  declare readonly retryable: boolean;

  constructor(code: string, message: string = code) {
    super(message);
    this.code = code;
    this.retryable = isPassing(code);
  }
}
