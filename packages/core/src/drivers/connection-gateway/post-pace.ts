import pLimit from "p-limit";
import type { Clock } from "../../clock.ts";
import type { ConnectionId } from "../../model.ts";

/** The first pause after a 429, and the longest that a post is worth: a Lambda is paid for waiting, and a job that waits in the queue costs nothing. */
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 800;

/** Two clients that are refused within this time aren't two with a full buffer. */
const SAME_TROUBLE_MS = 1_000;

/** The pace of all posts of a Lambda, whichever jobs they are for. */
export interface PostPace {
  /** Runs `post` for each of the targets when it is its turn; the outcomes are in the order of the targets. */
  map<T, R>(targets: readonly T[], post: (target: T) => Promise<R>): Promise<R[]>;
  /** Ms until the next post may begin; 0 where that is now, Infinity where so little comes through that it should be left for later. */
  pauseMs(): number;
  /** Tells of a post that began at `startedAt` (Unix ms). */
  onDelivered(startedAt: number): void;
  onThrottled(id: ConnectionId, startedAt: number): void;
  /** Posts that may be under way at once, at the moment. */
  readonly concurrency: number;
}

export interface PostPaceOptions {
  readonly clock: Pick<Clock, "now">;
  /** Posts under way at once where nothing is throttled. */
  readonly maxConcurrency: number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/**
 * API Gateway throttles an account, not a connection, so that all posts slow down together: half as many at once, after a pause of random
 * length that doubles from one 429 to the next. Each round of posts that comes through adds one to those at once again: additive increase and
 * multiplicative decrease, as TCP has it, with which many Lambdas that know nothing of each other come to share a rate.
 *
 * API Gateway answers 429 too where one client doesn't read what it gets. So nobody slows down for one client; its post is a job of its own later.
 */
export function createPostPace({ clock, maxConcurrency, random = Math.random }: PostPaceOptions): PostPace {
  const limit = pLimit(maxConcurrency);
  let allowed = maxConcurrency;
  let longestPauseMs = 0;
  let resumeAt = 0;
  let slowedAt = Number.NEGATIVE_INFINITY;
  let lastThrottled: { readonly id: ConnectionId; readonly at: number } | undefined;

  function allow(concurrency: number): void {
    allowed = Math.min(maxConcurrency, Math.max(1, concurrency));
    limit.concurrency = Math.floor(allowed);
  }

  function slowDown(now: number): void {
    slowedAt = now;
    allow(allowed / 2);
    longestPauseMs = Math.min(2 * MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, 2 * longestPauseMs));
    resumeAt = now + random() * Math.min(MAX_PAUSE_MS, longestPauseMs);
  }

  return {
    map: (targets, post) => limit.map(targets, post),

    pauseMs() {
      const pauseMs = Math.max(0, resumeAt - clock.now());
      // One of them tries again after each pause, and whether it comes through decides for all.
      return pauseMs > 0 && longestPauseMs > MAX_PAUSE_MS ? Number.POSITIVE_INFINITY : pauseMs;
    },

    onDelivered(startedAt) {
      if (allowed === maxConcurrency || startedAt < slowedAt) return;
      longestPauseMs = 0;
      allow(allowed + 1 / allowed);
    },

    onThrottled(id, startedAt) {
      const now = clock.now();
      const isOneClient =
        lastThrottled === undefined || lastThrottled.id === id || now - lastThrottled.at > SAME_TROUBLE_MS;
      lastThrottled = { id, at: now };
      // What was under way already when all slowed down says nothing new.
      if (!isOneClient && startedAt >= slowedAt) slowDown(now);
    },

    get concurrency() {
      return limit.concurrency;
    },
  };
}
