import { findBehind, findSender } from "@topicast/core";
import { ok } from "@topicast/protocol";
import { address, clock, connections, log, logger } from "../app.ts";
import { requestHandler } from "../request-handler.ts";

const service = { address, connections, log, logger };

export const handler = requestHandler(service, "ping", async ({ id, places }, { app, connection }) => {
  const sender = await findSender(service, app, connection.id);
  if (!sender.ok) return sender;
  const { from: you } = sender.value;
  const behind = places.length === 0 ? undefined : await findBehind(service, app, places);
  const pong = { type: "pong", time: clock.now(), connectionId: connection.id, you } as const;
  return ok({ ...pong, ...(id !== undefined && { id }), ...(behind && { behind }) });
});
