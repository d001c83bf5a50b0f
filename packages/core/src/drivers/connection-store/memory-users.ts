import { type AppId, type Connection, userOf } from "../../model.ts";
import type { ConnectionPage, ConnectionsQuery } from "../../ports/connection-store.ts";
import { createSubscriberList, type SubscriberList } from "./memory-subscribers.ts";

/** The connections of users. Those that have none are taken and not kept. */
export interface UserLists {
  add(connection: Connection, now: number): void;
  remove(connection: Connection, now: number): void;
  page(app: AppId, user: string, query: ConnectionsQuery, now: number): ConnectionPage;
}

export function createUserLists(): UserLists {
  const lists = new Map<string, SubscriberList>();

  return {
    add(connection, now) {
      const user = userOf(connection);
      if (user === undefined) return;
      const key = keyOf(connection.app, user);
      // Nobody reads it stale.
      const list = lists.get(key) ?? createSubscriberList(0);
      lists.set(key, list);
      const { id, address, connectedAt, validUntil } = connection;
      list.add({ id, address, connectedAt, validUntil }, now);
    },

    remove(connection, now) {
      const user = userOf(connection);
      if (user === undefined) return;
      const key = keyOf(connection.app, user);
      const list = lists.get(key);
      list?.remove(connection.id, now);
      if (list?.size === 0) lists.delete(key);
    },

    page(app, user, query, now) {
      const list = lists.get(keyOf(app, user));
      if (list === undefined) return { connections: [] };
      const { subscribers, expired: _, ...rest } = list.page({ ...query, freshness: "fresh", now });
      return {
        connections: subscribers.map(({ id, address, connectedAt }) => ({ id, address, connectedAt })),
        ...rest,
      };
    },
  };
}

/** As JSON: a user's name may hold any character. */
function keyOf(app: AppId, user: string): string {
  return JSON.stringify([app, user]);
}
