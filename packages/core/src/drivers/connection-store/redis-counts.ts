import { CONNECTION_VALID_MS, type Connection } from "../../model.ts";
import { callRedis } from "../redis/call.ts";
import type { Redis } from "../redis/client.ts";
import { sendCommand } from "../redis/command.ts";
import { countsKey, EXPIRY_SLACK_MS } from "../redis/keys.ts";
import { defineScript, runScript } from "../redis/script.ts";

/** Of those that can't be alive, how many are removed at most when one comes: it needn't wait for all that an outage left. */
const DROPPED_AT_ONCE = 100;

/** Which connections of an application are counted. Both can be repeated, and done late by a server that hung. */
export interface ConnectionCounts {
  /** Counts a connection, once however often, unless its application has `max` others; whether it is counted. */
  take(connection: Connection, max: number): Promise<boolean>;
  /** Nothing where it isn't counted. */
  giveBack(connection: Connection): Promise<void>;
}

export interface ConnectionCountsOptions {
  readonly redis: Redis;
  /** Unix ms. */
  readonly now: () => number;
}

/**
 * Doesn't count those whose disconnect never came and that can't be alive, and forgets some of them.
 * KEYS an application's counted. ARGV the connection's id, now, max, when it can't be alive any more, ms for which it may matter.
 */
const TAKE = defineScript(
  "take",
  `
local key, id, now = KEYS[1], ARGV[1], ARGV[2]
local till = redis.call('ZSCORE', key, id)
if till and tonumber(till) > tonumber(now) then return 1 end
if redis.call('ZCOUNT', key, '(' .. now, '+inf') >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', key, ARGV[4], id)
redis.call('PEXPIRE', key, ARGV[5])
local dead = redis.call('ZCOUNT', key, '-inf', now)
if dead > 0 then redis.call('ZREMRANGEBYRANK', key, 0, math.min(dead, ${DROPPED_AT_ONCE}) - 1) end
return 1`,
);

export function createConnectionCounts({ redis, now }: ConnectionCountsOptions): ConnectionCounts {
  return {
    async take({ app, id, connectedAt }, max) {
      const lifeMs = CONNECTION_VALID_MS + EXPIRY_SLACK_MS;
      const args = [id, now(), max, connectedAt + CONNECTION_VALID_MS, lifeMs];
      return (await runScript(redis, TAKE, [countsKey(app)], args)) === 1;
    },

    async giveBack({ app, id }) {
      // Also where memory is full: a server refuses no removal.
      await callRedis(redis, () => sendCommand(redis, "zrem", countsKey(app), [id]));
    },
  };
}
