import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../../clock.ts";
import type { AppId, Connection, ConnectionId } from "../../model.ts";
import type { ConnectionStore, Freshness, SubscribeInput } from "../../ports/connection-store.ts";
import { CALL_TIMEOUT_MS } from "../dynamodb/client.ts";
import { createTable } from "../dynamodb/table.ts";
import { topicHash } from "../topic-hash.ts";
import { type ConnectionRow, createConnectionRows, type WrittenRow } from "./dynamodb-connections.ts";
import { createConnectionCounts } from "./dynamodb-counts.ts";
import { createSubscriptionRows, subscriptionKeys } from "./dynamodb-subscriptions.ts";
import { createUserRows, userKeyOf } from "./dynamodb-users.ts";

/** By then a subscribe has written its rows: three calls that are bounded in time, clocks that differ by two seconds, and times to the second. */
const SUBSCRIBED_AFTER_MS = 3 * CALL_TIMEOUT_MS + 3_000;

export interface DynamoDbConnectionStoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** The address that nearly all connections have, `{domain}/{stage}`: rows leave it out. It may never change while there are connections. */
  readonly address?: string;
}

/**
 * Connections and subscriptions in DynamoDB; `dynamodb/keys.ts` has the rows. A connection's own row knows its topics and its user. It is written
 * first and removed last, so that a call which failed half-way can be repeated, and a disconnect finds what there is to clean up.
 */
export function createDynamoDbConnectionStore(options: DynamoDbConnectionStoreOptions): ConnectionStore {
  const { client, tableName, clock, address } = options;
  const table = createTable({ client, tableName, clock });
  const connections = createConnectionRows({ table, now: clock.now, address });
  const subscriptions = createSubscriptionRows({ table, now: clock.now, address });
  const users = createUserRows({ table, now: clock.now, address });
  const counts = createConnectionCounts({ table, now: clock.now });

  async function readValid(app: AppId, id: ConnectionId, freshness: Freshness): Promise<ConnectionRow | undefined> {
    const row = await connections.read(app, id, freshness);
    return row !== undefined && row.connection.validUntil > clock.now() ? row : undefined;
  }

  /**
   * Drops topics in which others ended the subscription: its row is gone. False where there are none. One that was added lately may have no row
   * yet, so it stays. Where one is dropped that was just subscribed to again, the subscription stands without being counted: an unsubscribe
   * removes the row anyway, and so does a delivery that finds the connection gone.
   */
  async function dropEnded({ connection: { app, id }, topics, lookedAt }: ConnectionRow): Promise<boolean> {
    const isOld = (at = 0) => clock.now() - at >= SUBSCRIBED_AFTER_MS;
    const old = [...topics].filter(([, addedAt]) => isOld(addedAt)).map(([topic]) => topic);
    // Who asks for too many again and again doesn't cost a read of each every time.
    if (old.length === 0 || !isOld(lookedAt)) return false;
    const ended = await subscriptions.missing(id, old);
    await connections.dropTopics(app, id, ended);
    return ended.length > 0;
  }

  /**
   * Counts before it writes, so that no more come in than may. What a repeated connect counts twice is given back; and what a write that failed
   * left counted, if it can be.
   */
  async function writeCounted(connection: Connection, max: number): Promise<WrittenRow | "refused" | undefined> {
    const { app, id } = connection;
    if (!(await counts.take(connection, max))) {
      const isIn = (await readValid(app, id, "fresh"))?.isCounted ?? false;
      return isIn ? connections.write(connection, false) : "refused";
    }
    let written: WrittenRow | undefined;
    try {
      written = await connections.write(connection, true);
    } catch (error) {
      // It may have happened; then the row knows that it is counted.
      if ((await connections.read(app, id, "fresh")) === undefined) await counts.giveBack(connection);
      throw error;
    }
    if (!written?.isNew) await counts.giveBack(connection);
    return written;
  }

  /** The connection's row with the topic, or why it doesn't get it. */
  async function addTopic({ app, topic, connection, maxSubscriptions }: SubscribeInput) {
    const add = () => connections.addTopic(app, connection, topicHash(app, topic), maxSubscriptions);
    const row = await add();
    if (row !== undefined) return row;
    const known = await readValid(app, connection.id, "fresh");
    if (known === undefined) return "unknown_connection";
    // Only now, at a read for each of its topics: otherwise who ends a subscription would write to the connection's row too.
    if (known.topics.size >= maxSubscriptions && !(await dropEnded(known))) return "too_many_subscriptions";
    return (await add()) ?? "too_many_subscriptions";
  }

  return {
    async connect(connection, maxConnections) {
      const { app, room, validUntil } = connection;
      const written =
        maxConnections === undefined
          ? await connections.write(connection, false)
          : await writeCounted(connection, maxConnections);
      if (written === "refused") return "too_many_connections";
      if (written === undefined) return "connected";
      await users.write(connection);
      if (room !== undefined) await subscriptions.write(topicHash(app, room), connection, validUntil);
      return "connected";
    },

    async get(app, id, freshness) {
      return (await readValid(app, id, freshness))?.connection;
    },

    async getMany(app, ids) {
      const rows = await connections.readMany(app, ids);
      return rows.map(({ connection }) => connection).filter(({ validUntil }) => validUntil > clock.now());
    },

    async connectionsOf(app, user, query) {
      return users.page(app, user, query);
    },

    async subscribe(input) {
      const { app, topic, connection, validUntil } = input;
      const row = await addTopic(input);
      if (typeof row === "string") return { status: row };
      await subscriptions.write(topicHash(app, topic), connection, validUntil);
      return { status: "subscribed", from: row.connection.from };
    },

    async unsubscribe(app, topic, id) {
      const hash = topicHash(app, topic);
      const topics = (await connections.read(app, id, "fresh"))?.topics ?? new Map();
      // Also where the connection's row doesn't have it: what no row leads to would stay until it expires.
      await subscriptions.remove(id, [hash]);
      return topics.has(hash) && connections.removeTopic(app, id, hash);
    },

    async endSubscription(app, topic, subscriber) {
      return subscriptions.end(topicHash(app, topic), subscriber);
    },

    async disconnect(app, id) {
      const row = await connections.read(app, id, "fresh");
      if (row === undefined) return false;
      const user = userKeyOf(row.connection);
      await table.deleteMany([...subscriptionKeys(id, row.topics.keys()), ...(user === undefined ? [] : [user])]);
      const last = await connections.remove(app, id);
      const late = [...(last?.topics.keys() ?? [])].filter((topic) => !row.topics.has(topic));
      await subscriptions.remove(id, late);
      // Only who removed the row gives back what it had, so once.
      if (last?.isCounted) await counts.giveBack(last.connection);
      return true;
    },

    async subscribers({ app, topic, ...query }) {
      return subscriptions.page(topicHash(app, topic), query);
    },

    async setShards(app, topic, change) {
      await subscriptions.setShards(topicHash(app, topic), change);
    },
  };
}
