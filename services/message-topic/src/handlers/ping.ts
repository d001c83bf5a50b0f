import { findSender } from "@topicast/core";
import { ok } from "@topicast/protocol";
import { address, clock, connections, logger } from "../app.ts";
import { requestHandler } from "../request-handler.ts";

export const handler = requestHandler({ address, logger }, "ping", async ({ id }, { app, connection }) => {
  const sender = await findSender({ connections }, app, connection.id);
  if (!sender.ok) return sender;
  const { from: you } = sender.value;
  const time = clock.now();
  return ok({ type: "pong", ...(id !== undefined && { id }), time, connectionId: connection.id, you });
});
