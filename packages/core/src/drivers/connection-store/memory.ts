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
  /** Shards of each topic. */
  readonly shards?: number;
}

interface Row {
  readonly connection: Connection;
  /** The shard that each of its topics put it in. */
  readonly topics: ReadonlyMap<Topic, number>;
}

interface Cell {
  readonly row: Row | undefined;
  readonly previous: Row | undefined;
  readonly changedAt: number;
}

export function createMemoryConnectionStore(options: MemoryConnectionStoreOptions): ConnectionStore {
  const { clock, staleMs = 1_000, shards = 1 } = options;
  const cells = new Map<string, Cell>();
  const lists = new Map<string, SubscriberList[]>();
  const users = createUserLists();
  const counts = createConnectionCounts();
  /** What can be forgotten once no stale read needs it, in the order in which it falls due. */
  const leftovers: { readonly at: number; readonly forget: () => void }[] = [];
  let turn = 0;

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

  function listOf(app: AppId, topic: Topic, shard: number): SubscriberList {
    const key = keyOf(app, topic);
    let all = lists.get(key);
    if (all === undefined) {
      all = Array.from({ length: shards }, () => createSubscriberList(staleMs));
      lists.set(key, all);
    }
    return all[shard] as SubscriberList;
  }

  function add(app: AppId, topic: Topic, shard: number, target: Target, validUntil: number, now: number): void {
    const { id, address, connectedAt } = target;
    listOf(app, topic, shard).add({ id, address, connectedAt, validUntil }, now);
  }

  function leave(
    app: AppId,
    topic: Topic,
    shard: number,
    id: ConnectionId,
    now: number,
    subscribedAt?: number,
  ): boolean {
    const key = keyOf(app, topic);
    const all = lists.get(key);
    const wasThere = all?.[shard]?.remove(id, now, subscribedAt) ?? false;
    const isEmpty = () => all?.every((list) => list.size === 0) ?? false;
    if (isEmpty()) later(now, () => lists.get(key) === all && isEmpty() && lists.delete(key));
    return wasThere;
  }

  function remove({ connection, topics }: Row, now: number): void {
    for (const [topic, shard] of topics) leave(connection.app, topic, shard, connection.id, now);
    users.remove(connection, now);
    counts.giveBack(connection);
  }

  /** The row; where it has as many topics as it may, without those in which others ended the subscription. */
  function withRoom(row: Row, max: number): Row {
    const { connection, topics } = row;
    if (topics.size < max) return row;
    const isThere = (topic: Topic, shard: number) =>
      lists.get(keyOf(connection.app, topic))?.[shard]?.has(connection.id) ?? false;
    return { connection, topics: new Map([...topics].filter(([topic, shard]) => isThere(topic, shard))) };
  }

  function nextShard(): number {
    turn = (turn + 1) % shards;
    return turn;
  }

  return {
    async connect(connection, maxConnections) {
      const { app, id, room, validUntil } = connection;
      const now = clock.now();
      if (maxConnections !== undefined && !counts.take(connection, maxConnections, now)) return "too_many_connections";
      const topics = new Map(read(app, id, "fresh", now)?.topics);
      if (room !== undefined && !topics.has(room)) topics.set(room, nextShard());
      write(app, id, { connection, topics }, now);
      users.add(connection, now);
      if (room !== undefined) add(app, room, topics.get(room) as number, connection, validUntil, now);
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
      const known = topics.get(topic);
      if (known === undefined && topics.size >= maxSubscriptions) return { status: "too_many_subscriptions" };
      const shard = known ?? nextShard();
      if (known === undefined) {
        write(app, connection.id, { ...row, topics: new Map(topics).set(topic, shard) }, now);
      }
      add(app, topic, shard, connection, validUntil, now);
      return { status: "subscribed", from: row.connection.from };
    },

    async unsubscribe(app, topic, id) {
      const now = clock.now();
      const row = read(app, id, "fresh", now);
      const shard = row?.topics.get(topic);
      if (row === undefined || shard === undefined) return false;
      const topics = new Map(row.topics);
      topics.delete(topic);
      write(app, id, { ...row, topics }, now);
      leave(app, topic, shard, id, now);
      return true;
    },

    async endSubscription(app, topic, shard, { id, subscribedAt }) {
      return leave(app, topic, shard, id, clock.now(), subscribedAt);
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
      const list = lists.get(keyOf(app, topic))?.[shard];
      if (list === undefined) return { subscribers: [], expired: [], shards: 1 };
      return { ...list.page({ ...(cursor !== undefined && { cursor }), limit, freshness, now: clock.now() }), shards };
    },
  };
}

/** Neither an application's name nor an id or topic holds a NUL. */
function keyOf(app: AppId, name: string): string {
  return `${app}\0${name}`;
}
