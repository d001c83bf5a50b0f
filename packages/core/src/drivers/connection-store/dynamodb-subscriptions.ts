import type { ConnectionId, Subscriber, Target } from "../../model.ts";
import type { SubscriberPage, SubscriberQuery } from "../../ports/connection-store.ts";
import { type Item, number, numberOf, textOf, ttl } from "../dynamodb/attributes.ts";
import {
  HEAD,
  type Key,
  shardsKey,
  subscribedId,
  subscriptionKey,
  subscriptionPartition,
  subscriptionRange,
} from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import type { TopicHash } from "../topic-hash.ts";
import { readTargetItems, targetItem, targetOf } from "./dynamodb-targets.ts";

/** A topic whose number of shards nobody has changed for so long has one again; where that is too few, the next fan-outs find out. */
const SHARDS_KEPT_MS = 30 * 24 * 60 * 60_000;

/** The rows of subscriptions, one partition a topic. */
export interface SubscriptionRows {
  /** Subscribes from now on, until `validUntil` (Unix ms). Replaces the row of the same connection. */
  write(topic: TopicHash, target: Target, validUntil: number): Promise<void>;
  /** Whether it was there, as it is given. */
  end(topic: TopicHash, subscriber: Subscriber): Promise<boolean>;
  remove(id: ConnectionId, topics: readonly TopicHash[]): Promise<void>;
  /** Those of the topics in which the connection has no row. Always fresh. */
  missing(id: ConnectionId, topics: readonly TopicHash[]): Promise<readonly TopicHash[]>;
  page(topic: TopicHash, query: Omit<SubscriberQuery, "app" | "topic">): Promise<SubscriberPage>;
  /** Nothing happens where it has not `from`. */
  setShards(topic: TopicHash, change: { readonly from: number; readonly to: number }): Promise<void>;
}

export interface SubscriptionRowsOptions {
  readonly table: Table;
  /** Unix ms. */
  readonly now: () => number;
  /** Left out of rows; absent in a row means this one. */
  readonly address: string | undefined;
}

export function createSubscriptionRows(options: SubscriptionRowsOptions): SubscriptionRows {
  const { table, now, address: ownAddress } = options;

  function subscriberOf(item: Item): Subscriber {
    return { ...targetOf(subscribedId(textOf(item, "s")), item, ownAddress), subscribedAt: numberOf(item, "b") };
  }

  function pageOf(items: readonly Item[], cursor: string | undefined): SubscriberPage {
    const all = items.map(subscriberOf);
    const time = now();
    return {
      subscribers: all.filter(({ validUntil }) => validUntil > time),
      expired: all.filter(({ validUntil }) => validUntil <= time),
      ...(cursor !== undefined && { cursor }),
    };
  }

  return {
    async write(topic, { id, address, connectedAt }, validUntil) {
      const key = subscriptionKey(topic, id);
      const item = targetItem({ address, connectedAt, validUntil }, ownAddress);
      const subscribedAt = number(now());
      const isLater = { condition: "attribute_not_exists(b) OR b < :b", values: { ":b": subscribedAt } };
      if (await table.put(key, { ...item, b: subscribedAt }, isLater)) return;
      // Again in the same millisecond, or by a clock that is behind: it is a newer subscriber all the same.
      const sets = Object.keys(item).map((name) => `${name} = :${name}`);
      const values = Object.fromEntries(Object.entries(item).map(([name, value]) => [`:${name}`, value]));
      await table.update(key, {
        update: `SET ${sets.join(", ")}, b = if_not_exists(b, :b) + :one`,
        values: { ...values, ":b": subscribedAt, ":one": number(1) },
      });
    },

    async end(topic, { id, subscribedAt }) {
      const condition = { condition: "b = :subscribedAt", values: { ":subscribedAt": number(subscribedAt) } };
      return (await table.delete(subscriptionKey(topic, id), condition)) !== undefined;
    },

    async remove(id, topics) {
      await table.deleteMany(subscriptionKeys(id, topics));
    },

    async missing(id, topics) {
      const found = new Set((await table.getMany(subscriptionKeys(id, topics))).map((item) => textOf(item, "p")));
      return topics.filter((topic) => !found.has(subscriptionPartition(topic)));
    },

    async page(topic, { shard, limit, ...rest }) {
      const query = { ...rest, partition: subscriptionPartition(topic) };
      if (shard !== undefined || rest.cursor !== undefined) {
        const between = shard === undefined ? {} : { between: subscriptionRange(shard) };
        const { items, cursor } = await readTargetItems(table, { ...query, ...between, limit });
        return pageOf(items, cursor);
      }
      const { items, cursor } = await readTargetItems(table, { ...query, limit });
      const head = items.find((item) => textOf(item, "s") === HEAD);
      return {
        ...pageOf(head === undefined ? items : items.slice(1), cursor),
        shards: head === undefined ? 1 : numberOf(head, "n"),
      };
    },

    async setShards(topic, { from, to }) {
      const isFrom =
        from === 1
          ? { condition: "attribute_not_exists(n)" }
          : { condition: "n = :from", values: { ":from": number(from) } };
      if (to === 1) await table.delete(shardsKey(topic), isFrom);
      else await table.put(shardsKey(topic), { n: number(to), x: ttl(now() + SHARDS_KEPT_MS) }, isFrom);
    },
  };
}

export function subscriptionKeys(id: ConnectionId, topics: Iterable<TopicHash>): readonly Key[] {
  return [...topics].map((topic) => subscriptionKey(topic, id));
}
