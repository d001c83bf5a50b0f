import { parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { service } from "../app.ts";
import { refuseMisrouted } from "../request-handler.ts";

/** Best effort on AWS: a connection that it missed is forgotten at its first 410. */
export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event);
  if (call.kind !== "disconnect") return refuseMisrouted(service, call);
  await service.connections.disconnect(call.app, call.connection.id);
}
