import { parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { service } from "../app.ts";
import { handleMessage } from "../broadcast.ts";

export async function handler(event: WebSocketEvent) {
  return handleMessage(service, parseWebSocketEvent(event));
}
