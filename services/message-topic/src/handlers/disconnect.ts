import { parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { address, connections, gateway } from "../app.ts";
import { refuseMisrouted } from "../request-handler.ts";

/** Best effort on AWS: a connection that it missed is forgotten at its first 410. */
export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event, address);
  if (call.kind !== "disconnect") return refuseMisrouted(gateway, call);
  await connections.disconnect(call.app, call.connection.id);
}
