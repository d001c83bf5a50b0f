import { findSender, readHistory } from "@topicast/core";
import { ok } from "@topicast/protocol";
import { address, applications, clock, connections, gateway, limiter, log, logger, settings } from "../app.ts";
import { encodeHistory } from "../history-answer.ts";
import { requestHandler } from "../request-handler.ts";

const service = { address, applications, clock, connections, gateway, limiter, log, logger, settings };

export const handler = requestHandler(service, "history", async (request, { app, connection }) => {
  const { id, action, topic } = request;
  const sender = await findSender(service, app, connection.id);
  if (!sender.ok) return sender;
  const history = await readHistory(service, { app, topic, query: request });
  const head = { type: "ack", ...(id !== undefined && { id }), action, topic, ...history.place } as const;
  return ok(encodeHistory(head, history, request));
});
