import { connect } from "@topicast/core";
import { connectResponse, parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { refuse } from "@topicast/protocol";
import { address, connections, logger } from "../app.ts";
import { parseRoom } from "../broadcast.ts";
import { handleMisrouted } from "../message-handler.ts";

export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event, address);
  // A message like any other.
  if (call.kind !== "connect") return handleMisrouted(call);
  const { app, connection: target, query } = call;
  return connectResponse(logger, async () => {
    const room = parseRoom(query.room_id);
    if (!room.ok) return room;
    if (query.since !== undefined) return refuse("bad_request", "`since` is not served yet; leave it out.");
    return connect({ connections }, { app, target, client: query.client, room: room.value });
  });
}
