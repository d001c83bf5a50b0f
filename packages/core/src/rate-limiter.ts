import type { Clock } from "./clock.ts";

/** Connections that are remembered; those that were silent longest are forgotten first, and begin anew. */
const MAX_CONNECTIONS = 10_000;

/** Sums of Unix times and parts of a millisecond are this exact at best. */
const ROUNDING_MS = 1e-6;

/** Bounds how much each of many callers does in a second. What it knows is of this process alone: callers that meet several get as much of each. */
export interface RateLimiter {
  /** Counts one; undefined where that is allowed, else the ms after which the next one is. */
  take(caller: string): number | undefined;
}

export interface RateLimiterOptions {
  readonly clock: Pick<Clock, "now">;
  /** On average; up to so many at once. */
  readonly perSecond: number;
}

export function createRateLimiter({ clock, perSecond }: RateLimiterOptions): RateLimiter {
  /** When each caller's allowance is whole again, in Unix ms: the later, the more of it is used. */
  const wholeAt = new Map<string, number>();
  const costMs = 1_000 / perSecond;

  function forgetOldest(): void {
    const [oldest] = wholeAt.keys();
    if (oldest !== undefined) wholeAt.delete(oldest);
  }

  return {
    take(caller) {
      const now = clock.now();
      const known = wholeAt.get(caller) ?? 0;
      // Beyond a second only where the clock was turned back: nobody waits for it to come there again.
      const after = (known > now + 1_000 + ROUNDING_MS ? now : Math.max(now, known)) + costMs;
      const waitMs = after - now - 1_000;
      // At the limit exactly is allowed.
      if (waitMs > ROUNDING_MS) return Math.ceil(waitMs);
      wholeAt.delete(caller);
      wholeAt.set(caller, after);
      if (wholeAt.size > MAX_CONNECTIONS) forgetOldest();
      return undefined;
    },
  };
}
