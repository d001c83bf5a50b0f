import { subscribe } from "@topicast/core";
import { ok } from "@topicast/protocol";
import { address, connections, log, logger, settings } from "../app.ts";
import { requestHandler } from "../request-handler.ts";

const service = { address, connections, log, logger, settings };

export const handler = requestHandler(service, "subscribe", async ({ id, action, topic }, { app, connection }) => {
  const subscribed = await subscribe(service, { app, topic, target: connection });
  if (!subscribed.ok) return subscribed;
  const { place, you } = subscribed.value;
  return ok({ type: "ack", ...(id !== undefined && { id }), action, topic, ...place, you });
});
