import { UnavailableError } from "../errors.ts";
import type { AppId, Connection, ConnectionId } from "../model.ts";
import type { ConnectionInfo } from "../ports/connection-gateway.ts";
import type { Service } from "../service.ts";
import { YOUNG_MS } from "./post-fanout.ts";

export type SeenConnection = Pick<Connection, "id" | "from"> & ConnectionInfo;

/** What is known of one of an application's connections; undefined where it has none of this id. Throws `UnavailableError`, as while its handshake runs. */
export async function lookAtConnection(
  { clock, connections, gateway }: Pick<Service, "clock" | "connections" | "gateway">,
  app: AppId,
  id: ConnectionId,
): Promise<SeenConnection | undefined> {
  const connection = await connections.get(app, id, "fresh");
  if (connection === undefined) return undefined;
  const info = await gateway.look(connection);
  if (info === undefined && clock.now() - connection.connectedAt < YOUNG_MS) {
    throw new UnavailableError("gateway", "A connection's handshake may still be under way.");
  }
  return info && { id, from: connection.from, ...info };
}
