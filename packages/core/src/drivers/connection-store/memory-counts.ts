import { type AppId, CONNECTION_VALID_MS, type Connection, type ConnectionId } from "../../model.ts";

/** The connections of applications that have a limit. */
export interface ConnectionCounts {
  /** Counts a connection, once however often, unless its application has `max` others; whether it is counted. */
  take(connection: Connection, max: number, now: number): boolean;
  giveBack(connection: Connection): void;
}

export function createConnectionCounts(): ConnectionCounts {
  const counted = new Map<AppId, Map<ConnectionId, number>>();

  return {
    take({ app, id, connectedAt }, max, now) {
      const all = counted.get(app) ?? new Map<ConnectionId, number>();
      if (all.has(id)) return true;
      if (all.size >= max) dropDead(all, now);
      if (all.size >= max) return false;
      counted.set(app, all.set(id, connectedAt));
      return true;
    },

    giveBack({ app, id }) {
      const all = counted.get(app);
      all?.delete(id);
      if (all?.size === 0) counted.delete(app);
    },
  };
}

/** Those whose disconnect never came and that can't be alive. */
function dropDead(all: Map<ConnectionId, number>, now: number): void {
  for (const [id, connectedAt] of all) if (connectedAt + CONNECTION_VALID_MS <= now) all.delete(id);
}
