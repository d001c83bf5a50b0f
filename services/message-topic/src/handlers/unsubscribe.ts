import { ok } from "@topicast/protocol";
import { address, connections, logger } from "../app.ts";
import { requestHandler } from "../request-handler.ts";

export const handler = requestHandler(
  { address, logger },
  "unsubscribe",
  async ({ id, action, topic }, { app, connection }) => {
    await connections.unsubscribe(app, topic, connection.id);
    return ok({ type: "ack", ...(id !== undefined && { id }), action, topic });
  },
);
