import { findSender, publish } from "@topicast/core";
import { ok } from "@topicast/protocol";
import {
  address,
  applications,
  clock,
  connections,
  envelope,
  gateway,
  limiter,
  log,
  logger,
  queue,
  settings,
} from "../app.ts";
import { requestHandler } from "../request-handler.ts";

const service = { address, applications, clock, connections, envelope, gateway, limiter, log, logger, queue, settings };

export const handler = requestHandler(service, "publish", async (request, { app, connection }) => {
  const { id, action, topic, payloads, ephemeral, latest, key, echo } = request;
  const sender = await findSender(service, app, connection.id);
  if (!sender.ok) return sender;
  const { from } = sender.value;
  const input = { app, topic, payloads, from, sender: connection.id, echo, ephemeral, latest, key };
  const published = await publish(service, input);
  if (!published.ok) return published;
  return ok(id === undefined ? undefined : { type: "ack", id, action, topic, ...published.value });
});
