import { parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { address } from "../app.ts";
import { handleMessage } from "../message-handler.ts";

export async function handler(event: WebSocketEvent) {
  return handleMessage(parseWebSocketEvent(event, address));
}
