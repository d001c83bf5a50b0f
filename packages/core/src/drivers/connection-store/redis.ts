import type { Clock } from "../../clock.ts";
import { type AppId, type Connection, type ConnectionId, userOf } from "../../model.ts";
import type { ConnectionStore, SubscribeInput } from "../../ports/connection-store.ts";
import { CALL_TIMEOUT_MS } from "../redis/call.ts";
import type { Redis } from "../redis/client.ts";
import { subscriberName, subscribersKey, userKey } from "../redis/keys.ts";
import { type TopicHash, topicHash } from "../topic-hash.ts";
import { type ConnectionRow, createConnectionRows } from "./redis-connections.ts";
import { createConnectionCounts } from "./redis-counts.ts";
import { createMembers, targetOf } from "./redis-members.ts";
import { createSubscriptions } from "./redis-subscriptions.ts";

/** By then a subscribe has done its two calls, which are bounded in time, by clocks that differ by three seconds. */
const SUBSCRIBED_AFTER_MS = 2 * CALL_TIMEOUT_MS + 3_000;

export interface RedisConnectionStoreOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  /** The address that nearly all connections have, `{domain}/{stage}`: what is kept leaves it out. It may never change while there are connections. */
  readonly address?: string;
}

/** One of the sorted sets that a connection is in, and its name there. */
type Membership = readonly [key: string, name: string];

/**
 * Connections and subscriptions in Redis; `redis/keys.ts` has the keys. A connection's row knows its user and its topics: a topic is added to it before the
 * connection gets among the topic's subscribers, and stays until it no longer is, so that a disconnect finds all. Each call goes once to each of the slots that
 * it touches, to those that don't depend on one another at once; only one that was refused, or comes again, goes twice.
 *
 * What a call that failed half-way leaves is mended by its repeat. Where none comes, it is a subscriber whom no row leads to: the first delivery meets a 410, and
 * removes it; or an entry of a user, or a row, which nobody finds and which expires.
 */
export function createRedisConnectionStore({ redis, clock, address }: RedisConnectionStoreOptions): ConnectionStore {
  const options = { redis, now: clock.now, address };
  const connections = createConnectionRows(options);
  const members = createMembers(options);
  const subscriptions = createSubscriptions({ ...options, members });
  const counts = createConnectionCounts(options);

  function isValid({ validUntil }: Connection): boolean {
    return validUntil > clock.now();
  }

  async function readValid(app: AppId, id: ConnectionId): Promise<ConnectionRow | undefined> {
    const row = await connections.read(app, id);
    return row !== undefined && isValid(row.connection) ? row : undefined;
  }

  /** Writes everything at once. Without its row it must not be anywhere that it wasn't: no disconnect would find it there. */
  async function write(connection: Connection, isCounted: boolean): Promise<void> {
    const { app, room, validUntil } = connection;
    const memberships = membershipsOf(connection, room === undefined ? [] : [topicHash(app, room)]);
    const [row, ...entries] = await Promise.allSettled([
      connections.write(connection, isCounted),
      ...memberships.map(([key, name]) => members.enter(key, name, connection, validUntil)),
    ]);
    if (row.status === "rejected") {
      const entered = memberships.filter((_, i) => isTrue(entries[i]));
      // What can't be undone expires; that the row is missing is what there is to say.
      await Promise.allSettled(entered.map(([key, name]) => members.leave(key, name)));
      throw row.reason;
    }
    valuesOf(entries);
  }

  /**
   * Counts before it writes, so that no more come in than may. One that failed isn't counted, whatever of it was done: either it is repeated, or it never
   * began, and nobody will say that it ended.
   */
  async function writeCounted(connection: Connection, max: number): Promise<"connected" | "too_many_connections"> {
    try {
      if (!(await counts.take(connection, max))) return "too_many_connections";
      await write(connection, true);
      return "connected";
    } catch (error) {
      // A server that hangs does it later, behind what it is to undo. Where that never arrives, the place is free once the connection can't be alive.
      await Promise.allSettled([counts.giveBack(connection)]);
      throw error;
    }
  }

  /**
   * Drops topics in which others ended the subscription. False where there are none. One that was added lately may have no subscription yet, so it stays.
   * Where one is dropped that was just subscribed to again, the subscription stands without being counted: an unsubscribe removes it anyway, and so does
   * a delivery that finds the connection gone.
   */
  async function dropEnded({ connection: { app, id }, topics, lookedAt }: ConnectionRow): Promise<boolean> {
    const isOld = (at: number) => clock.now() - at >= SUBSCRIBED_AFTER_MS;
    const old = [...topics].filter(([, addedAt]) => isOld(addedAt)).map(([topic]) => topic);
    // Who asks for too many again and again doesn't cost a look at each every time.
    if (old.length === 0 || !isOld(lookedAt)) return false;
    const are = await all(old.map((topic) => subscriptions.has(topic, id)));
    const ended = old.filter((_, i) => !are[i]);
    await connections.dropTopics(app, id, ended);
    return ended.length > 0;
  }

  /** Whose the connection is that has the topic now, or why it doesn't get it. */
  async function addTopic(topic: TopicHash, { app, connection, maxSubscriptions }: SubscribeInput) {
    const add = () => connections.addTopic(app, connection.id, topic, maxSubscriptions);
    const from = await add();
    if (from !== undefined) return { from };
    const known = await readValid(app, connection.id);
    if (known === undefined) return "unknown_connection";
    if (known.topics.size >= maxSubscriptions && !(await dropEnded(known))) return "too_many_subscriptions";
    const later = await add();
    return later === undefined ? "too_many_subscriptions" : { from: later };
  }

  return {
    async connect(connection, maxConnections) {
      if (maxConnections !== undefined) return writeCounted(connection, maxConnections);
      await write(connection, false);
      return "connected";
    },

    async get(app, id) {
      const connection = await connections.get(app, id);
      return connection !== undefined && isValid(connection) ? connection : undefined;
    },

    async getMany(app, ids) {
      const found = await all([...new Set(ids)].map((id) => connections.get(app, id)));
      return found.filter((connection) => connection !== undefined).filter(isValid);
    },

    async connectionsOf(app, user, query) {
      const { members: found, ...rest } = await members.page(userKey(app, user), query);
      const valid = found.filter(({ validUntil }) => validUntil > clock.now());
      return { connections: valid.map((member) => targetOf(member.name as ConnectionId, member)), ...rest };
    },

    async subscribe(input) {
      const { app, topic, connection, validUntil } = input;
      const hash = topicHash(app, topic);
      const added = await addTopic(hash, input);
      if (typeof added === "string") return { status: added };
      await subscriptions.add(hash, connection, validUntil);
      return { status: "subscribed", from: added.from };
    },

    async unsubscribe(app, topic, id) {
      const hash = topicHash(app, topic);
      // Also where the connection's row doesn't have it: what no row leads to would stay until it expires.
      await subscriptions.remove(hash, id);
      return connections.removeTopic(app, id, hash);
    },

    async endSubscription(app, topic, subscriber) {
      return subscriptions.end(topicHash(app, topic), subscriber);
    },

    async disconnect(app, id) {
      const row = await connections.leave(app, id);
      if (row === undefined) return false;
      const { connection, topics, hasLeft, isCounted } = row;
      await all<unknown>([
        ...membershipsOf(connection, topics.keys()).map(([key, name]) => members.leave(key, name)),
        ...(isCounted ? [counts.giveBack(connection)] : []),
      ]);
      return !hasLeft;
    },

    async subscribers({ app, topic, ...query }) {
      return subscriptions.page(topicHash(app, topic), query);
    },

    async setShards(app, topic, change) {
      await subscriptions.setShards(topicHash(app, topic), change);
    },
  };
}

function membershipsOf(connection: Connection, topics: Iterable<TopicHash>): readonly Membership[] {
  const { app, id } = connection;
  const user = userOf(connection);
  const ofTopics = [...topics].map((topic): Membership => [subscribersKey(topic), subscriberName(id)]);
  return user === undefined ? ofTopics : [[userKey(app, user), id], ...ofTopics];
}

/** All values. It waits for each, so that nothing is under way any more when it throws the first error. */
async function all<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  return valuesOf(await Promise.allSettled(promises));
}

function valuesOf<T>(results: readonly PromiseSettledResult<T>[]): readonly T[] {
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

function isTrue(result: PromiseSettledResult<boolean> | undefined): boolean {
  return result?.status === "fulfilled" && result.value;
}
