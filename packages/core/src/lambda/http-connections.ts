import { ok, type Result, refuse } from "@topicast/protocol";
import { allowEverywhere, type Caller } from "../access.ts";
import type { ConnectionId } from "../model.ts";
import type { Service } from "../service.ts";
import { kick } from "../use-cases/kick.ts";
import { lookAtConnection } from "../use-cases/look-at-connection.ts";
import { type HttpAnswer, type HttpCall, json } from "./http.ts";

export type ConnectionRoutesService = Pick<Service, "clock" | "connections" | "gateway">;

/** As API Gateway makes them, and a little more: no store is asked about anything else. */
const CONNECTION_ID = /^[\w=-]{1,64}$/;

/** The same whether there never was one, it is closed, or another application's. */
export const NO_CONNECTION = refuse("not_found", "There is no such connection, or it is closed.");

/** The connection in the path, of one who may do this with any. */
export function parseConnectionId(caller: Caller, right: "admin" | "publish", id = ""): Result<ConnectionId> {
  const allowed = allowEverywhere(caller, right);
  if (!allowed.ok) return allowed;
  return CONNECTION_ID.test(id) ? ok(id as ConnectionId) : NO_CONNECTION;
}

/** The routes of connections that all services have: looking at one, and closing it. */
export function connectionRoutes(service: ConnectionRoutesService) {
  return {
    "GET /connections/{id}": async (call: HttpCall): Promise<HttpAnswer> => {
      const id = parseConnectionId(call, "admin", call.names.id);
      if (!id.ok) return id;
      const seen = await lookAtConnection(service, call.app, id.value);
      if (seen === undefined) return NO_CONNECTION;
      const { id: connectionId, ...rest } = seen;
      return json(200, { connectionId, ...rest });
    },
    "DELETE /connections/{id}": async (call: HttpCall): Promise<HttpAnswer> => {
      const id = parseConnectionId(call, "admin", call.names.id);
      if (!id.ok) return id;
      return (await kick(service, call.app, id.value)) ? { statusCode: 204 } : NO_CONNECTION;
    },
  };
}
