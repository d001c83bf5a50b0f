import { type AppId, CONNECTION_VALID_MS, type Connection } from "../../model.ts";
import type { Redis } from "../redis/client.ts";
import { countsKey, EXPIRY_SLACK_MS } from "../redis/keys.ts";
import { defineScript, runScript } from "../redis/script.ts";

/** Connections made in one such time are counted together: at most some 15 numbers an application. */
const BUCKET_MS = 10 * 60_000;

/** How many connections an application has, of those that were counted. */
export interface ConnectionCounts {
  /** Counts one more, unless there are `max`; whether it did. */
  take(connection: Connection, max: number): Promise<boolean>;
  /** One less; nothing where it is no longer counted. */
  giveBack(connection: Connection): Promise<void>;
}

export interface ConnectionCountsOptions {
  readonly redis: Redis;
  /** Unix ms. */
  readonly now: () => number;
}

/**
 * Forgets those whose disconnect never came and that can't be alive.
 * KEYS an application's counts. ARGV max, the connection's bucket, the last bucket of those that can't be alive, ms for which its count may matter.
 */
const TAKE = defineScript(
  "take",
  `
local counts, sum = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #counts, 2 do
  if tonumber(counts[i]) <= tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], counts[i]) else sum = sum + counts[i + 1] end
end
if sum >= tonumber(ARGV[1]) then return 0 end
redis.call('HINCRBY', KEYS[1], ARGV[2], 1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`,
);

/** Also where memory is full, as in `redis-connections.ts`. KEYS an application's counts. ARGV the connection's bucket. */
const GIVE_BACK = defineScript(
  "giveBack",
  `
local count = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if count > 0 then redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1])) end
if count > 1 then redis.call('HINCRBY', KEYS[1], ARGV[1], -1) elseif count == 1 then redis.call('HDEL', KEYS[1], ARGV[1]) end
return count`,
);

export function createConnectionCounts({ redis, now }: ConnectionCountsOptions): ConnectionCounts {
  const run = (script: typeof TAKE, app: AppId, args: readonly number[]) =>
    runScript(redis, script, [countsKey(app)], args);

  return {
    async take({ app, connectedAt }, max) {
      const dead = bucketOf(now() - CONNECTION_VALID_MS) - 1;
      const lifeMs = CONNECTION_VALID_MS + BUCKET_MS + EXPIRY_SLACK_MS;
      return (await run(TAKE, app, [max, bucketOf(connectedAt), dead, lifeMs])) === 1;
    },

    async giveBack({ app, connectedAt }) {
      await run(GIVE_BACK, app, [bucketOf(connectedAt)]);
    },
  };
}

function bucketOf(time: number): number {
  return Math.floor(time / BUCKET_MS);
}
