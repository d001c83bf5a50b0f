import { CommandError } from "./command-error.ts";

const MAX_ATTEMPTS = 6;
const FIRST_DELAY_MS = 300;
const MAX_DELAY_MS = 10_000;
/** A service that says to come back later than this gets no retry. */
const MAX_RETRY_AFTER_MS = 60_000;
/** Idempotency keys hold for five minutes: after this a retry might double what was published. */
const MAX_TOTAL_MS = 4 * 60_000;

export interface RetryOptions {
  /** Says that it goes on, and after how many ms. */
  readonly onRetry: (error: CommandError, delayMs: number) => void;
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly random?: () => number;
}

/** Runs `attempt` until it succeeds, fails for good, or time is up; then throws what it threw last. */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { onRetry, now = Date.now, sleep = pause, random = Math.random } = options;
  const until = now() + MAX_TOTAL_MS;
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CommandError) || !error.isRetryable || attempts === MAX_ATTEMPTS) throw error;
      const delayMs = retryDelayMs(attempts, random, error.retryAfter);
      if ((error.retryAfter ?? 0) > MAX_RETRY_AFTER_MS || now() + delayMs > until) throw error;
      onRetry(error, delayMs);
      await sleep(delayMs);
    }
  }
}

/** Doubled each time and jittered by half; never before the service wants it. */
export function retryDelayMs(attempts: number, random: () => number, retryAfter = 0): number {
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), MAX_DELAY_MS);
  return Math.round(retryAfter + delayMs * (0.5 + random()));
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
