import type { Topic } from "@topicast/protocol";
import type { AppId, Connection, ConnectionId, Target } from "../../model.ts";
import { EXPIRED_KEPT_MS, type Freshness } from "../../ports/connection-store.ts";
import {
  type Item,
  number,
  numberOf,
  optionalNumber,
  optionalText,
  text,
  textOf,
  ttl,
} from "../dynamodb/attributes.ts";
import { connectionKey } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import { type TopicHash, topicHash } from "../topic-hash.ts";

/** Topics that one update drops: far below what DynamoDB takes in an expression. */
const MAX_DROPPED_TOPICS = 100;
export interface ConnectionRow {
  readonly connection: Connection;
  /** The topics that it has, each with the Unix ms, to the second, at which it was added first. */
  readonly topics: ReadonlyMap<TopicHash, number>;
  /** Unix ms at which its topics were looked through, and none had ended. */
  readonly lookedAt: number | undefined;
  readonly isCounted: boolean;
}

export interface WrittenRow {
  readonly row: ConnectionRow;
  /** False where the connection was there: then it is as counted as it was. */
  readonly isNew: boolean;
}

/** The rows of connections. Those no longer valid may still be there: `read` leaves that to its caller. */
export interface ConnectionRows {
  /** Remembers a connection, with the topics of an earlier call for it. Undefined where it was removed at the same moment. */
  write(connection: Connection, isCounted: boolean): Promise<WrittenRow | undefined>;
  read(app: AppId, id: ConnectionId, freshness: Freshness): Promise<ConnectionRow | undefined>;
  /** Always fresh; those that aren't there are left out. */
  readMany(app: AppId, ids: readonly ConnectionId[]): Promise<readonly ConnectionRow[]>;
  /** Undefined where the connection isn't valid, or has `max` other topics. */
  addTopic(app: AppId, target: Target, topic: TopicHash, max: number): Promise<ConnectionRow | undefined>;
  /** Whether a valid connection had it. */
  removeTopic(app: AppId, id: ConnectionId, topic: TopicHash): Promise<boolean>;
  /** Removes topics that have ended, not always all of them; where there are none, notes that they were looked through. */
  dropTopics(app: AppId, id: ConnectionId, ended: readonly TopicHash[]): Promise<void>;
  /** The row as it was. */
  remove(app: AppId, id: ConnectionId): Promise<ConnectionRow | undefined>;
}

export interface ConnectionRowsOptions {
  readonly table: Table;
  /** Unix ms. */
  readonly now: () => number;
  /** Left out of rows; absent in a row means this one. */
  readonly address: string | undefined;
}

export function createConnectionRows({ table, now, address: ownAddress }: ConnectionRowsOptions): ConnectionRows {
  function itemOf({ address, from, room, connectedAt, validUntil }: Connection): Item {
    return {
      ...(address !== ownAddress && { a: text(address) }),
      ...(room !== undefined && { r: text(room) }),
      f: text(from),
      c: number(connectedAt),
      v: number(validUntil),
      x: ttl(validUntil + EXPIRED_KEPT_MS),
    };
  }

  function rowOf(app: AppId, id: ConnectionId, item: Item): ConnectionRow {
    const room = optionalText(item, "r");
    const connection: Connection = {
      id,
      address: optionalText(item, "a") ?? ownAddress ?? textOf(item, "a"),
      connectedAt: numberOf(item, "c"),
      app,
      from: textOf(item, "f"),
      ...(room !== undefined && { room: room as Topic }),
      validUntil: numberOf(item, "v"),
    };
    const topics = item.t?.M ?? {};
    return {
      connection,
      topics: new Map(
        Object.keys(topics).map((topic) => [topic as TopicHash, connection.connectedAt + numberOf(topics, topic)]),
      ),
      lookedAt: optionalNumber(item, "u"),
      isCounted: item.k !== undefined,
    };
  }

  /** A connect that is repeated, or comes late: what the connection subscribed to stays. */
  async function rewrite({ app, id, room }: Connection, item: Item): Promise<Item | undefined> {
    const names = Object.keys(item);
    const sets = names.map((name) => `${name} = :${name}`);
    const removes = ["a", "r"].filter((name) => !names.includes(name));
    if (room !== undefined) sets.push("t.#room = if_not_exists(t.#room, :atOnce)");
    return table.update(connectionKey(app, id), {
      update: `SET ${sets.join(", ")}${removes.length > 0 ? ` REMOVE ${removes.join(", ")}` : ""}`,
      condition: "attribute_exists(t)",
      values: {
        ...Object.fromEntries(names.map((name) => [`:${name}`, item[name] as Item[string]])),
        ...(room !== undefined && { ":atOnce": number(0) }),
      },
      ...(room !== undefined && { names: { "#room": topicHash(app, room) } }),
    });
  }

  return {
    async write(connection, isCounted) {
      const { app, id, room } = connection;
      const item = itemOf(connection);
      const topics = room === undefined ? {} : { [topicHash(app, room)]: number(0) };
      const fresh: Item = { ...item, t: { M: topics }, ...(isCounted && { k: number(1) }) };
      const condition = { condition: "attribute_not_exists(p) OR v <= :now", values: { ":now": number(now()) } };
      const isNew = await table.put(connectionKey(app, id), fresh, condition);
      const written = isNew ? fresh : await rewrite(connection, item);
      return written && { row: rowOf(app, id, written), isNew };
    },

    async read(app, id, freshness) {
      const item = await table.get(connectionKey(app, id), freshness);
      return item && rowOf(app, id, item);
    },

    async readMany(app, ids) {
      const idOf = new Map(ids.map((id) => [connectionKey(app, id).p, id] as const));
      const items = await table.getMany([...idOf.values()].map((id) => connectionKey(app, id)));
      return items.map((item) => rowOf(app, idOf.get(textOf(item, "p")) as ConnectionId, item));
    },

    async addTopic(app, { id, connectedAt }, topic, max) {
      const seconds = Math.max(0, Math.floor((now() - connectedAt) / 1_000));
      const item = await table.update(connectionKey(app, id), {
        update: "SET t.#topic = if_not_exists(t.#topic, :after)",
        condition: "v > :now AND (attribute_exists(t.#topic) OR size(t) < :max)",
        names: { "#topic": topic },
        values: { ":after": number(seconds * 1_000), ":now": number(now()), ":max": number(max) },
      });
      return item && rowOf(app, id, item);
    },

    async removeTopic(app, id, topic) {
      const item = await table.update(connectionKey(app, id), {
        update: "REMOVE t.#topic",
        condition: "v > :now AND attribute_exists(t.#topic)",
        names: { "#topic": topic },
        values: { ":now": number(now()) },
      });
      return item !== undefined;
    },

    async dropTopics(app, id, ended) {
      const names = ended.slice(0, MAX_DROPPED_TOPICS).map((topic, index) => [`#t${index}`, topic] as const);
      const removes = names.map(([name]) => `t.${name}`).join(", ");
      await table.update(connectionKey(app, id), {
        update: removes === "" ? "SET u = :now" : `REMOVE ${removes}`,
        condition: "v > :now",
        values: { ":now": number(now()) },
        ...(names.length > 0 && { names: Object.fromEntries(names) }),
      });
    },

    async remove(app, id) {
      const item = await table.delete(connectionKey(app, id));
      return item && rowOf(app, id, item);
    },
  };
}
