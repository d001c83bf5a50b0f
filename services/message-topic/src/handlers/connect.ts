import { connect } from "@topicast/core";
import { connectResponse, parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { service } from "../app.ts";
import { refuseMisrouted } from "../request-handler.ts";

export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event);
  if (call.kind !== "connect") return refuseMisrouted(service, call);
  const { app, connection: target, query } = call;
  return connectResponse(service, () => connect(service, { app, target, client: query.client }));
}
