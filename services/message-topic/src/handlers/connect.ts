import { connect } from "@topicast/core";
import { connectResponse, parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { address, applications, connections, gateway, logger } from "../app.ts";
import { refuseMisrouted } from "../request-handler.ts";

export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event, address);
  if (call.kind !== "connect") return refuseMisrouted(gateway, call);
  const { connection: target, query } = call;
  return connectResponse(logger, call.headers, () =>
    connect({ applications, connections }, { caller: call, target, client: query.client }),
  );
}
