import type { Place, Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import type { AppId } from "../../model.ts";
import { type IdempotencyKey, KEY_LIFE_MS } from "../../ports/topic-log.ts";
import type { MovableTopicLog } from "../../ports/topic-mover.ts";
import { randomName } from "../../random-name.ts";
import { callRedis } from "../redis/call.ts";
import type { Redis } from "../redis/client.ts";
import { appendKey, callKey, claimKey, topicKeys } from "../redis/keys.ts";
import { defineScript } from "../redis/script.ts";
import { type TopicHash, topicHash } from "../topic-hash.ts";
import { append } from "./redis-append.ts";
import { createHistory } from "./redis-history.ts";
import { LUA } from "./redis-lua.ts";
import { createRedisMover } from "./redis-mover.ts";
import { createRun } from "./redis-run.ts";
import { createRedisTicks } from "./redis-ticks.ts";
import { SLACK_MS } from "./redis-times.ts";

export interface RedisTopicLogOptions {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
  readonly newEpoch?: () => string;
}

const RESTART = defineScript("restart", `${LUA}if look() then begin() end`);

/** The same call again holds too: the answer of its first attempt was lost. */
const CLAIM = defineScript(
  "claim",
  `local key, now, lifeMs, call = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[4]
local known = redis.call('GET', key)
if known then
  local expiresAt, by = string.match(known, '^(%d+) (.+)$')
  if tonumber(expiresAt) > now then return by == call and 1 or 0 end
end
redis.call('SET', key, string.format('%.0f', now + lifeMs) .. ' ' .. call, 'PX', lifeMs + ${SLACK_MS})
return 1`,
);

/**
 * Topics and their history in Redis; `redis/keys.ts` has the keys. All of a topic is in one slot, so that each method is one script and one round trip, and an
 * append happens as a whole or not at all: a number that is taken is written, and the last one is settled.
 */
export function createRedisTopicLog({ redis, clock, newEpoch = randomName }: RedisTopicLogOptions): MovableTopicLog {
  const run = createRun({ redis, clock, newEpoch });
  const history = createHistory(run, clock.now);
  const ticks = createRedisTicks(run);
  const keysOf = (app: AppId, topic: Topic) => topicKeys(topicHash(app, topic));
  const counting = (topic: TopicHash, key?: IdempotencyKey) => ({
    ...topicKeys(topic),
    call: key === undefined ? callKey(topic, randomName()) : appendKey(topic, key),
  });

  return {
    append: (app, topic, batch, retention) => append(run, counting(topicHash(app, topic), batch.key), batch, retention),

    async claim(app, topic, key) {
      return (await run(CLAIM, [claimKey(topicHash(app, topic), key)], [KEY_LIFE_MS, randomName()])) === 1;
    },

    place: (app, topic) => history.place(keysOf(app, topic)),

    /** Those of one node share what is sent to it. */
    newest: (app, topics) =>
      callRedis(redis, () => Promise.all(topics.map((topic) => newestOf(keysOf(app, topic).head)))),

    readSince: (app, topic, since, options) => history.readSince(keysOf(app, topic), since, options),
    readLatest: (app, topic, options) => history.readLatest(keysOf(app, topic), options),

    async restart(app, topic) {
      await run(RESTART, keysOf(app, topic).all, []);
    },

    gather: (app, topic, gathering) => ticks.gather(counting(topicHash(app, topic)), gathering),
    ticking: (app, topic) => ticks.ticking(keysOf(app, topic)),
    replaceWakeUp: (app, topic, from, to) => ticks.replaceWakeUp(keysOf(app, topic), from, to),
    readTick: (app, topic, { epoch, seq }) => ticks.readTick(keysOf(app, topic), epoch, seq),
    claimTick: (app, topic, page, next) => ticks.claimTick(keysOf(app, topic), page, next),
    endTicks: (app, topic, page) => ticks.endTicks(keysOf(app, topic), page),

    ...createRedisMover(run, clock.now),
  };

  async function newestOf(head: string): Promise<Place | undefined> {
    const [epoch, last, expiresAt, owner] = await redis.hmget(head, "e", "n", "x", "o");
    return Number(expiresAt) > clock.now() && owner === null ? { epoch: String(epoch), seq: Number(last) } : undefined;
  }
}
