import type { Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import type { AppId, Connection, ConnectionId, Target } from "../../model.ts";
import { type ConnectionStore, EXPIRED_KEPT_MS, type Freshness } from "../../ports/connection-store.ts";
import { createConnectionCounts } from "./memory-counts.ts";
import { createSubscriberList, type SubscriberList } from "./memory-subscribers.ts";
import { createUserLists } from "./memory-users.ts";

export interface MemoryConnectionStoreOptions {
  readonly clock: Clock;
  /** For how long a read that doesn't ask for fresh answers what was there before, as DynamoDB's may. */
  readonly staleMs?: number;
}

interface Row {
  readonly connection: Connection;
  readonly topics: ReadonlySet<Topic>;
}

interface TopicRow {
  readonly list: SubscriberList;
  shards: number;
}

/** A topic without subscribers. */
const NOBODY: TopicRow = { list: createSubscriberList(0), shards: 1 };

interface Cell {
  readonly row: Row | undefined;
  readonly previous: Row | undefined;
  readonly changedAt: number;
}

export function createMemoryConnectionStore(options: MemoryConnectionStoreOptions): ConnectionStore {
  const { clock, staleMs = 1_000 } = options;
  const cells = new Map<string, Cell>();
  const topicRows = new Map<string, TopicRow>();
  const users = createUserLists();
  const counts = createConnectionCounts();
  /** What can be forgotten once no stale read needs it, in the order in which it falls due. */
  const leftovers: { readonly at: number; readonly forget: () => void }[] = [];

  function read(app: AppId, id: ConnectionId, freshness: Freshness, now: number): Row | undefined {
    const cell = cells.get(keyOf(app, id));
    if (cell === undefined) return undefined;
    const row = freshness === "stale" && now - cell.changedAt < staleMs ? cell.previous : cell.row;
    return row !== undefined && row.connection.validUntil > now ? row : undefined;
  }

  function write(app: AppId, id: ConnectionId, row: Row | undefined, now: number): void {
    const key = keyOf(app, id);
    const cell: Cell = { row, previous: read(app, id, "fresh", now), changedAt: now };
    cells.set(key, cell);
    if (row === undefined) later(now, () => cells.get(key) === cell && cells.delete(key));
    forgetOld(now);
  }

  function later(now: number, forget: () => void): void {
    leftovers.push({ at: now + staleMs, forget });
  }

  function forgetOld(now: number): void {
    while (leftovers[0] !== undefined && leftovers[0].at <= now) leftovers.shift()?.forget();
    // The oldest connections come first in the map: a look at two for each write forgets all that nobody disconnected.
    let looks = 2;
    for (const { row } of cells.values()) {
      if (looks-- === 0 || row === undefined || row.connection.validUntil + EXPIRED_KEPT_MS > now) break;
      remove(row, now);
      cells.delete(keyOf(row.connection.app, row.connection.id));
    }
  }

  function add(app: AppId, topic: Topic, { id, address, connectedAt }: Target, validUntil: number, now: number): void {
    const key = keyOf(app, topic);
    const row = topicRows.get(key) ?? { list: createSubscriberList(staleMs), shards: 1 };
    topicRows.set(key, row);
    row.list.add({ id, address, connectedAt, validUntil }, now);
  }

  function leave(app: AppId, topic: Topic, id: ConnectionId, now: number, subscribedAt?: number): boolean {
    const key = keyOf(app, topic);
    const row = topicRows.get(key);
    if (row === undefined) return false;
    const wasThere = row.list.remove(id, now, subscribedAt);
    const isEmpty = () => row.list.size === 0;
    if (isEmpty()) later(now, () => topicRows.get(key) === row && isEmpty() && topicRows.delete(key));
    return wasThere;
  }

  function remove({ connection, topics }: Row, now: number): void {
    for (const topic of topics) leave(connection.app, topic, connection.id, now);
    users.remove(connection, now);
    counts.giveBack(connection);
  }

  /** The row; where it has as many topics as it may, without those in which others ended the subscription. */
  function withRoom(row: Row, max: number): Row {
    const { connection, topics } = row;
    if (topics.size < max) return row;
    const isThere = (topic: Topic) => topicRows.get(keyOf(connection.app, topic))?.list.has(connection.id) ?? false;
    return { connection, topics: new Set([...topics].filter(isThere)) };
  }

  return {
    async connect(connection, maxConnections) {
      const { app, id, room, validUntil } = connection;
      const now = clock.now();
      if (maxConnections !== undefined && !counts.take(connection, maxConnections, now)) return "too_many_connections";
      const topics = new Set(read(app, id, "fresh", now)?.topics);
      if (room !== undefined) topics.add(room);
      write(app, id, { connection, topics }, now);
      users.add(connection, now);
      if (room !== undefined) add(app, room, connection, validUntil, now);
      return "connected";
    },

    async get(app, id, freshness) {
      return read(app, id, freshness, clock.now())?.connection;
    },

    async getMany(app, ids) {
      const now = clock.now();
      const rows = [...new Set(ids)].map((id) => read(app, id, "fresh", now));
      return rows.flatMap((row) => (row === undefined ? [] : [row.connection]));
    },

    async connectionsOf(app, user, query) {
      return users.page(app, user, query, clock.now());
    },

    async subscribe({ app, topic, connection, validUntil, maxSubscriptions }) {
      const now = clock.now();
      const row = read(app, connection.id, "fresh", now);
      if (row === undefined) return { status: "unknown_connection" };
      const { topics } = row.topics.has(topic) ? row : withRoom(row, maxSubscriptions);
      const isNew = !topics.has(topic);
      if (isNew && topics.size >= maxSubscriptions) return { status: "too_many_subscriptions" };
      if (isNew) write(app, connection.id, { ...row, topics: new Set(topics).add(topic) }, now);
      add(app, topic, connection, validUntil, now);
      return { status: "subscribed", from: row.connection.from };
    },

    async unsubscribe(app, topic, id) {
      const now = clock.now();
      const row = read(app, id, "fresh", now);
      if (row === undefined || !row.topics.has(topic)) return false;
      const topics = new Set(row.topics);
      topics.delete(topic);
      write(app, id, { ...row, topics }, now);
      leave(app, topic, id, now);
      return true;
    },

    async endSubscription(app, topic, { id, subscribedAt }) {
      return leave(app, topic, id, clock.now(), subscribedAt);
    },

    async disconnect(app, id) {
      const now = clock.now();
      const row = cells.get(keyOf(app, id))?.row;
      if (row === undefined) return false;
      write(app, id, undefined, now);
      remove(row, now);
      return true;
    },

    async subscribers({ app, topic, shard, cursor, limit, freshness }) {
      const row = topicRows.get(keyOf(app, topic)) ?? NOBODY;
      const page = row.list.page({ shard, cursor, limit, freshness, now: clock.now() });
      const shards = shard === undefined && cursor === undefined ? row.shards : undefined;
      // Not spread: each publish comes by here, and that takes as long as the read.
      return { subscribers: page.subscribers, expired: page.expired, cursor: page.cursor, shards };
    },

    async setShards(app, topic, { from, to }) {
      const row = topicRows.get(keyOf(app, topic));
      if (row?.shards === from) row.shards = to;
    },
  };
}

/** Neither an application's name nor an id or topic holds a NUL. */
function keyOf(app: AppId, name: string): string {
  return `${app}\0${name}`;
}
