import { allow, type Caller, findBehind, findSender } from "@topicast/core";
import { ok, type Topic } from "@topicast/protocol";
import { address, applications, clock, connections, gateway, limiter, log, logger } from "../app.ts";
import { requestHandler } from "../request-handler.ts";

const service = { address, applications, clock, connections, gateway, limiter, log, logger };

export const handler = requestHandler(service, "ping", async ({ id, places }, call) => {
  const { app, connection } = call;
  const foreign = places.map(({ topic }) => mayFollow(call, topic)).find((allowed) => !allowed.ok);
  if (foreign !== undefined) return foreign;
  const sender = await findSender(service, app, connection.id);
  if (!sender.ok) return sender;
  const { from: you } = sender.value;
  const behind = places.length === 0 ? undefined : await findBehind(service, app, places);
  const pong = { type: "pong", time: clock.now(), connectionId: connection.id, you } as const;
  return ok({ ...pong, ...(id !== undefined && { id }), ...(behind && { behind }) });
});

/** How far a topic is may know who may have its messages, live or from its history. */
function mayFollow(caller: Caller, topic: Topic) {
  const allowed = allow(caller, "subscribe", topic);
  return allowed.ok ? allowed : allow(caller, "history", topic);
}
