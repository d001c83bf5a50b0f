import { type AppId, type Connection, type ConnectionId, userOf } from "../../model.ts";
import type { ConnectionPage, ConnectionsQuery } from "../../ports/connection-store.ts";
import { type Item, textOf } from "../dynamodb/attributes.ts";
import { type Key, userKey, userPartition } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import { readTargetItems, targetItem, targetOf } from "./dynamodb-targets.ts";

/** The rows that lead from a user to connections, one partition a user. */
export interface UserRows {
  /** Replaces the row of the same connection; does nothing for one that has no user. */
  write(connection: Connection): Promise<void>;
  page(app: AppId, user: string, query: ConnectionsQuery): Promise<ConnectionPage>;
}

export interface UserRowsOptions {
  readonly table: Table;
  /** Unix ms. */
  readonly now: () => number;
  /** Left out of rows; absent in a row means this one. */
  readonly address: string | undefined;
}

export function createUserRows({ table, now, address: ownAddress }: UserRowsOptions): UserRows {
  const targetOfRow = (item: Item) => targetOf(textOf(item, "s") as ConnectionId, item, ownAddress);

  return {
    async write(connection) {
      const key = userKeyOf(connection);
      if (key !== undefined) await table.put(key, targetItem(connection, ownAddress));
    },

    async page(app, user, query) {
      const { items, ...rest } = await readTargetItems(table, {
        ...query,
        partition: userPartition(app, user),
        freshness: "fresh",
      });
      const valid = items.map(targetOfRow).filter(({ validUntil }) => validUntil > now());
      return { connections: valid.map(({ id, address, connectedAt }) => ({ id, address, connectedAt })), ...rest };
    },
  };
}

/** The row that leads to a connection; undefined where it has no user. */
export function userKeyOf(connection: Connection): Key | undefined {
  const user = userOf(connection);
  return user === undefined ? undefined : userKey(connection.app, user, connection.id);
}
