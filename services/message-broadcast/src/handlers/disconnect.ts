import { parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { address, connections } from "../app.ts";
import { handleMessage } from "../message-handler.ts";

/** Best effort on AWS: a connection that it missed is forgotten at its first 410. */
export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event, address);
  // A client reaches this route too by sending {"action":"$disconnect"}: a message like any other.
  if (call.kind !== "disconnect") return handleMessage(call);
  await connections.disconnect(call.app, call.connection.id);
}
