import { ok } from "@topicast/protocol";
import { address, applications, clock, connections, gateway, limiter, logger } from "../app.ts";
import { requestHandler } from "../request-handler.ts";

export const handler = requestHandler(
  { address, applications, clock, connections, gateway, limiter, logger },
  "unsubscribe",
  async ({ id, action, topic }, { app, connection }) => {
    await connections.unsubscribe(app, topic, connection.id);
    return ok({ type: "ack", ...(id !== undefined && { id }), action, topic });
  },
);
