import type { ConnectionId, Subscriber, Target } from "../../model.ts";
import type { SubscriberPage, SubscriberQuery } from "../../ports/connection-store.ts";
import { type Item, number, numberOf, textOf } from "../dynamodb/attributes.ts";
import { type Key, subscriptionKey, subscriptionPartition, type TopicHash } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import { SHARDS, type Topics } from "./dynamodb-connections.ts";
import { readTargetItems, targetItem, targetOf } from "./dynamodb-targets.ts";

/** The rows of subscriptions, one partition a shard. */
export interface SubscriptionRows {
  /** Subscribes from now on, until `validUntil` (Unix ms). Replaces the row of the same connection. */
  write(topic: TopicHash, shard: number, target: Target, validUntil: number): Promise<void>;
  /** Whether it was there, as it is given. */
  end(topic: TopicHash, shard: number, subscriber: Subscriber): Promise<boolean>;
  remove(id: ConnectionId, topics: Topics): Promise<void>;
  /** Those of the topics in which the connection has no row. Always fresh. */
  missing(id: ConnectionId, topics: Topics): Promise<readonly TopicHash[]>;
  page(topic: TopicHash, query: Omit<SubscriberQuery, "app" | "topic">): Promise<SubscriberPage>;
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
    return { ...targetOf(item, ownAddress), subscribedAt: numberOf(item, "b") };
  }

  return {
    async write(topic, shard, { id, address, connectedAt }, validUntil) {
      const key = subscriptionKey(topic, shard, id);
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

    async end(topic, shard, { id, subscribedAt }) {
      const condition = { condition: "b = :subscribedAt", values: { ":subscribedAt": number(subscribedAt) } };
      return (await table.delete(subscriptionKey(topic, shard, id), condition)) !== undefined;
    },

    async remove(id, topics) {
      await table.deleteMany(subscriptionKeys(id, topics));
    },

    async missing(id, topics) {
      const keys = new Map([...topics].map(([topic, shard]) => [topic, subscriptionKey(topic, shard, id)]));
      const found = new Set((await table.getMany([...keys.values()])).map((item) => textOf(item, "p")));
      return [...keys].filter(([, { p }]) => !found.has(p)).map(([topic]) => topic);
    },

    async page(topic, { shard, ...query }) {
      const { items, ...rest } = await readTargetItems(table, {
        ...query,
        partition: subscriptionPartition(topic, shard),
      });
      const all = items.map(subscriberOf);
      const time = now();
      return {
        subscribers: all.filter(({ validUntil }) => validUntil > time),
        expired: all.filter(({ validUntil }) => validUntil <= time),
        shards: SHARDS,
        ...rest,
      };
    },
  };
}

export function subscriptionKeys(id: ConnectionId, topics: Topics): readonly Key[] {
  return [...topics].map(([topic, shard]) => subscriptionKey(topic, shard, id));
}
