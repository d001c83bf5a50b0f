import { ok, type Result, refuse } from "@topicast/protocol";
import type { AppId, Connection, ConnectionId } from "../model.ts";
import type { Service } from "../service.ts";

/** What a client is told whose row is no longer there, such as after its two hours. */
export const UNKNOWN_CONNECTION = refuse("not_found", "This connection is no longer known. Connect again.");

/**
 * Who is behind a connection. A row that is there never changes, so a cheap stale read will do; only one that is missing may be too
 * young, and is read again fresh. Throws `UnavailableError`.
 */
export async function findSender(
  service: Pick<Service, "connections">,
  app: AppId,
  id: ConnectionId,
): Promise<Result<Connection>> {
  const { connections } = service;
  const connection = (await connections.get(app, id, "stale")) ?? (await connections.get(app, id, "fresh"));
  return connection === undefined ? UNKNOWN_CONNECTION : ok(connection);
}
