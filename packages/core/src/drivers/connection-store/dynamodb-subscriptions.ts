import type { ConnectionId, Subscriber } from "../../model.ts";
import type { SubscriberPage, SubscriberQuery } from "../../ports/connection-store.ts";
import { type Item, number, numberOf, optionalText, text, textOf, ttl } from "../dynamodb/attributes.ts";
import { subscriptionKey, subscriptionPartition, type TopicHash } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import { SHARDS, type Topics } from "./dynamodb-connections.ts";

/** The rows of subscriptions, one partition a shard. */
export interface SubscriptionRows {
  /** Replaces the row of the same connection. */
  write(topic: TopicHash, shard: number, subscriber: Subscriber): Promise<void>;
  remove(id: ConnectionId, topics: Topics): Promise<void>;
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
    return {
      id: textOf(item, "s") as ConnectionId,
      address: optionalText(item, "a") ?? ownAddress ?? textOf(item, "a"),
      connectedAt: numberOf(item, "c"),
      validUntil: numberOf(item, "v"),
    };
  }

  return {
    async write(topic, shard, { id, address, connectedAt, validUntil }) {
      await table.put(subscriptionKey(topic, shard, id), {
        ...(address !== ownAddress && { a: text(address) }),
        c: number(connectedAt),
        v: number(validUntil),
        x: ttl(validUntil),
      });
    },

    async remove(id, topics) {
      await table.deleteMany([...topics].map(([topic, shard]) => subscriptionKey(topic, shard, id)));
    },

    async page(topic, { shard, cursor, limit, freshness }) {
      const { items, next } = await table.query({
        partition: subscriptionPartition(topic, shard),
        ...(cursor !== undefined && { after: cursor }),
        // One more than asked for: DynamoDB says that more may follow also where a page just fits.
        limit: limit + 1,
        freshness,
      });
      const subscribers = items.slice(0, limit).map(subscriberOf);
      const last = items.length > limit ? subscribers.at(-1)?.id : next;
      const valid = subscribers.filter(({ validUntil }) => validUntil > now());
      return { subscribers: valid, shards: SHARDS, ...(last !== undefined && { cursor: last }) };
    },
  };
}
