import { parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { address, connections } from "../app.ts";
import { handleMisrouted } from "../message-handler.ts";

/** Best effort on AWS: a connection that it missed is forgotten at its first 410. */
export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event, address);
  // A message like any other.
  if (call.kind !== "disconnect") return handleMisrouted(call);
  await connections.disconnect(call.app, call.connection.id);
}
