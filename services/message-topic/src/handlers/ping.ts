import { findSender } from "@topicast/core";
import { ok } from "@topicast/protocol";
import { service } from "../app.ts";
import { requestHandler } from "../request-handler.ts";

export const handler = requestHandler(service, "ping", async ({ id }, { app, connection }) => {
  const sender = await findSender(service, app, connection.id);
  if (!sender.ok) return sender;
  const { from: you } = sender.value;
  const time = service.clock.now();
  return ok({ type: "pong", ...(id !== undefined && { id }), time, connectionId: connection.id, you });
});
