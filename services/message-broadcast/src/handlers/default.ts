import { parseWebSocketEvent, routeResponse, type WebSocketEvent } from "@topicast/core/lambda";
import { address } from "../app.ts";
import { handleMessage } from "../message-handler.ts";

export async function handler(event: WebSocketEvent) {
  return routeResponse(await handleMessage(parseWebSocketEvent(event, address)));
}
