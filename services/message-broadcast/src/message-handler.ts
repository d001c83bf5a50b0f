import { findSender } from "@topicast/core";
import { faultOf, routeResponse, type WebSocketCall } from "@topicast/core/lambda";
import {
  encodeFrame,
  isBroadcastPing,
  MAX_CLIENT_FRAME_BYTES,
  ok,
  parseBroadcast,
  type Result,
} from "@topicast/protocol";
import { connections, logger } from "./app.ts";
import { broadcast, PONG } from "./broadcast.ts";

/** Handles a client's message. It is answered only where it is a ping or fails. */
export async function handleMessage(call: WebSocketCall) {
  try {
    const reply = await broadcastFrom(call);
    return routeResponse(reply.ok ? reply.value : encodeFrame({ type: "error", ...reply.fault }));
  } catch (error) {
    return routeResponse(encodeFrame({ type: "error", ...faultOf(error, logger) }));
  }
}

async function broadcastFrom({ app, connection, body }: WebSocketCall): Promise<Result<string | undefined>> {
  const message = parseBroadcast(body, MAX_CLIENT_FRAME_BYTES);
  if (!message.ok) return message;
  if (isBroadcastPing(body, message.value)) return ok(PONG);
  const sender = await findSender({ connections }, app, connection.id);
  if (!sender.ok) return sender;
  const { from, room } = sender.value;
  if (room === undefined) throw new Error("A connection of this service has no room.");
  await broadcast({ app, room, message: message.value, from, sender: connection.id });
  return ok(undefined);
}
