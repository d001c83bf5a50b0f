import type { ConnectionStore } from "../src/index.ts";
import { slotOf, slotText } from "../src/shards.ts";

/** More than a test has. */
const ALL = 1_000_000;

/** A store whose pages go by names as those of DynamoDB and Redis do, where the memory driver's go by who came first. */
export function withOrderedPages(store: ConnectionStore): ConnectionStore {
  return {
    ...store,

    async subscribers({ cursor, limit, ...query }) {
      const all = await store.subscribers({ ...query, limit: ALL });
      const isExpired = new Set(all.expired);
      const page = pageOf(
        [...all.subscribers, ...all.expired],
        ({ id }) => `${slotText(slotOf(id))}${id}`,
        cursor,
        limit,
      );
      return {
        subscribers: page.items.filter((each) => !isExpired.has(each)),
        expired: page.items.filter((each) => isExpired.has(each)),
        cursor: page.cursor,
        shards: cursor === undefined ? all.shards : undefined,
      };
    },

    async connectionsOf(app, user, { cursor, limit }) {
      const all = await store.connectionsOf(app, user, { limit: ALL });
      const page = pageOf(all.connections, ({ id }) => id, cursor, limit);
      return { connections: page.items, ...(page.cursor !== undefined && { cursor: page.cursor }) };
    },
  };
}

function pageOf<T>(all: readonly T[], nameOf: (item: T) => string, cursor: string | undefined, limit: number) {
  const left = [...all]
    .sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
    .filter((item) => cursor === undefined || nameOf(item) > cursor);
  const items = left.slice(0, limit);
  const last = items.at(-1);
  return { items, cursor: left.length > limit && last !== undefined ? nameOf(last) : undefined };
}
