import { allow, findSender } from "@topicast/core";
import { faultOf, findObstacle, type WebSocketCall } from "@topicast/core/lambda";
import {
  encodeFrame,
  isBroadcastPing,
  MAX_CLIENT_FRAME_BYTES,
  ok,
  parseBroadcast,
  type Result,
} from "@topicast/protocol";
import { applications, clock, connections, gateway, limiter, logger } from "./app.ts";
import { broadcast, PONG } from "./broadcast.ts";

/** Broadcasts a client's message. Returns the frame that answers it: only where it is a ping or fails. Never throws. */
export async function handleMessage(call: WebSocketCall): Promise<string | undefined> {
  try {
    const reply = await broadcastFrom(call);
    return reply.ok ? reply.value : encodeFrame({ type: "error", ...reply.fault });
  } catch (error) {
    return encodeFrame({ type: "error", ...faultOf(error, logger) });
  }
}

/**
 * The same for the routes `$connect` and `$disconnect`, which a client reaches by sending `{"action":"$connect"}`. They have no route response,
 * so what there is to answer is posted.
 */
export async function handleMisrouted(call: WebSocketCall): Promise<void> {
  const reply = await handleMessage(call);
  if (reply !== undefined) await gateway.post([call.connection], reply);
}

const service = { applications, clock, connections, gateway, limiter, logger };

async function broadcastFrom(call: WebSocketCall): Promise<Result<string | undefined>> {
  const { app, connection, body } = call;
  const obstacle = await findObstacle(service, call);
  if (obstacle !== undefined) return { ok: false, fault: obstacle };
  const message = parseBroadcast(body, MAX_CLIENT_FRAME_BYTES);
  if (!message.ok) return message;
  if (isBroadcastPing(body, message.value)) return ok(PONG);
  const sender = await findSender({ connections }, app, connection.id);
  if (!sender.ok) return sender;
  const { from, room } = sender.value;
  if (room === undefined) throw new Error("A connection of this service has no room.");
  const allowed = allow(call, "publish", room);
  if (!allowed.ok) return allowed;
  const published = await broadcast({ app, room, message: message.value, from, sender: connection.id });
  return published.ok ? ok(undefined) : published;
}
