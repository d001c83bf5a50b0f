import pLimit from "p-limit";
import type { Clock } from "../../clock.ts";
import type { ConnectionId } from "../../model.ts";

/** The first pause and the longest, each taken at random up to that. */
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 400;

/**
 * Two clients that are refused within this time aren't two with a full buffer. After a longer one pauses begin anew: what was left
 * for later doesn't wait for what others met before.
 */
const SAME_TROUBLE_MS = 1_000;

/** The pace of all posts of a Lambda, whichever jobs they are for. */
export interface PostPace {
  /** Runs `post` for each of the targets when it is its turn; the outcomes are in the order of the targets. */
  map<T, R>(targets: readonly T[], post: (target: T) => Promise<R>): Promise<R[]>;
  /** Ms until the next post may begin; 0 where that is now. */
  pauseMs(): number;
  /** Unix ms at which a post came through last; 0 where none did. */
  readonly deliveredAt: number;
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
 * API Gateway throttles an account, not a connection, so that all posts slow down together, to half as many at once. Each round of posts that
 * comes through adds one to those at once again: additive increase and multiplicative decrease, as TCP has it, with which many Lambdas that know nothing of
 * each other come to share a rate. Where slowing down brought nothing through at all, they also pause, for up to twice as long each time.
 *
 * API Gateway answers 429 too where one client doesn't read what it gets. So nobody slows down for one client; its post is a job of its own later.
 */
export function createPostPace({ clock, maxConcurrency, random = Math.random }: PostPaceOptions): PostPace {
  const limit = pLimit(maxConcurrency);
  let allowed = maxConcurrency;
  /** How often all slowed down since a post came through. */
  let stalls = 0;
  let resumeAt = 0;
  let deliveredAt = 0;
  let slowedAt = Number.NEGATIVE_INFINITY;
  let lastThrottled: { readonly id: ConnectionId; readonly at: number } | undefined;

  function allow(concurrency: number): void {
    allowed = Math.min(maxConcurrency, Math.max(1, concurrency));
    limit.concurrency = Math.floor(allowed);
  }

  function slowDown(now: number): void {
    if (now - slowedAt > SAME_TROUBLE_MS) stalls = 0;
    slowedAt = now;
    allow(allowed / 2);
    if (stalls > 0) resumeAt = now + random() * Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** (stalls - 1));
    stalls += 1;
  }

  return {
    map: (targets, post) => limit.map(targets, post),

    pauseMs: () => Math.max(0, resumeAt - clock.now()),

    onDelivered(startedAt) {
      deliveredAt = clock.now();
      if (allowed === maxConcurrency || startedAt < slowedAt) return;
      stalls = 0;
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

    get deliveredAt() {
      return deliveredAt;
    },

    get concurrency() {
      return limit.concurrency;
    },
  };
}
