import { ok } from "@topicast/protocol";
import { service } from "../app.ts";
import { requestHandler } from "../request-handler.ts";

export const handler = requestHandler(service, "unsubscribe", async ({ id, action, topic }, { app, connection }) => {
  await service.connections.unsubscribe(app, topic, connection.id);
  return ok({ type: "ack", ...(id !== undefined && { id }), action, topic });
});
