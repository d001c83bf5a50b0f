import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../../clock.ts";
import type { AppId, Connection, ConnectionId } from "../../model.ts";
import type { ConnectionStore, Freshness } from "../../ports/connection-store.ts";
import { type TopicHash, topicHash } from "../dynamodb/keys.ts";
import { createTable } from "../dynamodb/table.ts";
import { createConnectionRows, type Topics } from "./dynamodb-connections.ts";
import { createSubscriptionRows } from "./dynamodb-subscriptions.ts";

export interface DynamoDbConnectionStoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** The address that nearly all connections have, `{domain}/{stage}`: rows leave it out. It may never change while there are connections. */
  readonly address?: string;
}

/**
 * Connections and subscriptions in DynamoDB; `dynamodb/keys.ts` has the rows. A connection's own row knows its topics. It is written first and
 * removed last, so that a call which failed half-way can be repeated, and a disconnect finds what there is to clean up.
 */
export function createDynamoDbConnectionStore(options: DynamoDbConnectionStoreOptions): ConnectionStore {
  const { client, tableName, clock, address } = options;
  const table = createTable({ client, tableName, clock });
  const connections = createConnectionRows({ table, now: clock.now, address });
  const subscriptions = createSubscriptionRows({ table, now: clock.now, address });

  async function readValid(app: AppId, id: ConnectionId, freshness: Freshness): Promise<Connection | undefined> {
    const connection = (await connections.read(app, id, freshness))?.connection;
    return connection !== undefined && connection.validUntil > clock.now() ? connection : undefined;
  }

  return {
    async connect(connection) {
      const { app, room, validUntil } = connection;
      const row = await connections.write(connection);
      if (row === undefined || room === undefined) return;
      const hash = topicHash(app, room);
      await subscriptions.write(hash, shardIn(row.topics, hash), connection, validUntil);
    },

    get: readValid,

    async subscribe({ app, topic, connection, validUntil, maxSubscriptions }) {
      const hash = topicHash(app, topic);
      const row = await connections.addTopic(app, connection.id, hash, maxSubscriptions);
      if (row === undefined) {
        const isKnown = (await readValid(app, connection.id, "fresh")) !== undefined;
        return { status: isKnown ? "too_many_subscriptions" : "unknown_connection" };
      }
      await subscriptions.write(hash, shardIn(row.topics, hash), connection, validUntil);
      return { status: "subscribed", from: row.connection.from };
    },

    async unsubscribe(app, topic, id) {
      const hash = topicHash(app, topic);
      const topics: Topics = (await connections.read(app, id, "fresh"))?.topics ?? new Map();
      // Also where the connection's row doesn't have it: what no row leads to would stay until it expires.
      await subscriptions.remove(id, new Map([[hash, shardIn(topics, hash)]]));
      return topics.has(hash) && connections.removeTopic(app, id, hash);
    },

    async endSubscription(app, topic, shard, subscriber) {
      return subscriptions.end(topicHash(app, topic), shard, subscriber);
    },

    async disconnect(app, id) {
      const row = await connections.read(app, id, "fresh");
      if (row === undefined) return false;
      await subscriptions.remove(id, row.topics);
      const last = await connections.remove(app, id);
      const late = [...(last?.topics ?? [])].filter(([topic]) => !row.topics.has(topic));
      await subscriptions.remove(id, new Map(late));
      return true;
    },

    async subscribers({ app, topic, ...query }) {
      return subscriptions.page(topicHash(app, topic), query);
    },
  };
}

/** The shard that a connection has in a topic; where it has none yet, the only one. */
function shardIn(topics: Topics, topic: TopicHash): number {
  return topics.get(topic) ?? 0;
}
