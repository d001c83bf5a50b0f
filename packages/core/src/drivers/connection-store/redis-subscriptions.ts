import type { ConnectionId, Subscriber, Target } from "../../model.ts";
import type { SubscriberPage, SubscriberQuery } from "../../ports/connection-store.ts";
import { callRedis } from "../redis/call.ts";
import type { Redis } from "../redis/client.ts";
import { sendCommand } from "../redis/command.ts";
import { shardsKey, subscriberId, subscriberName, subscriberRange, subscribersKey } from "../redis/keys.ts";
import { defineScript, runScript } from "../redis/script.ts";
import type { TopicHash } from "../topic-hash.ts";
import { type Member, type Members, targetOf } from "./redis-members.ts";

/** A topic whose number of shards nobody has changed for so long has one again; where that is too few, the next fan-outs find out. */
const SHARDS_KEPT_MS = 30 * 24 * 60 * 60_000;

/** Subscriptions, one sorted set a topic. */
export interface Subscriptions {
  /** Subscribes from now on, until `validUntil` (Unix ms). Replaces the subscription of the same connection. */
  add(topic: TopicHash, target: Target, validUntil: number): Promise<void>;
  /** Whether it was there. */
  remove(topic: TopicHash, id: ConnectionId): Promise<boolean>;
  /** Whether it was there, as it is given. */
  end(topic: TopicHash, subscriber: Subscriber): Promise<boolean>;
  has(topic: TopicHash, id: ConnectionId): Promise<boolean>;
  page(topic: TopicHash, query: Omit<SubscriberQuery, "app" | "topic">): Promise<SubscriberPage>;
  /** Nothing happens where it has not `from`. */
  setShards(topic: TopicHash, change: { readonly from: number; readonly to: number }): Promise<void>;
}

export interface SubscriptionsOptions {
  readonly redis: Redis;
  readonly members: Members;
  /** Unix ms. */
  readonly now: () => number;
}

/** KEYS a topic's number of shards. ARGV from, to, ms for which it is kept. */
const SET_SHARDS = defineScript(
  "setShards",
  `
if (redis.call('GET', KEYS[1]) or '1') ~= ARGV[1] then return 0 end
if ARGV[2] == '1' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`,
);

export function createSubscriptions({ redis, members, now }: SubscriptionsOptions): Subscriptions {
  return {
    async add(topic, target, validUntil) {
      await members.enter(subscribersKey(topic), subscriberName(target.id), target, validUntil);
    },

    async remove(topic, id) {
      return members.leave(subscribersKey(topic), subscriberName(id));
    },

    async end(topic, { id, subscribedAt }) {
      return members.end(subscribersKey(topic), subscriberName(id), subscribedAt);
    },

    async has(topic, id) {
      return members.has(subscribersKey(topic), subscriberName(id));
    },

    async page(topic, { shard, cursor, limit }) {
      const between = shard && subscriberRange(shard);
      const [page, shards] = await Promise.all([
        members.page(subscribersKey(topic), { between, cursor, limit }),
        shard === undefined && cursor === undefined
          ? callRedis(redis, () => sendCommand(redis, "get", shardsKey(topic), []))
          : undefined,
      ]);
      const all = page.members.map(subscriberOf);
      const time = now();
      return {
        subscribers: all.filter(({ validUntil }) => validUntil > time),
        expired: all.filter(({ validUntil }) => validUntil <= time),
        cursor: page.cursor,
        shards: shards === undefined ? undefined : Number(shards ?? 1),
      };
    },

    async setShards(topic, { from, to }) {
      await runScript(redis, SET_SHARDS, [shardsKey(topic)], [from, to, SHARDS_KEPT_MS]);
    },
  };
}

function subscriberOf(member: Member): Subscriber {
  const { subscribedAt, validUntil } = member;
  return { ...targetOf(subscriberId(member.name), member), subscribedAt, validUntil };
}
