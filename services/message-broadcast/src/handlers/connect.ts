import { connect } from "@topicast/core";
import { connectResponse, parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { refuse } from "@topicast/protocol";
import { service } from "../app.ts";
import { handleMessage, parseRoom } from "../broadcast.ts";

export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event);
  // A client reaches this route too by sending {"action":"$connect"}: a message like any other.
  if (call.kind !== "connect") return handleMessage(service, call);
  const { app, connection: target, query } = call;
  return connectResponse(service, async () => {
    const room = parseRoom(query.room_id);
    if (!room.ok) return room;
    if (query.since !== undefined) return refuse("bad_request", "`since` is not served yet; leave it out.");
    return connect(service, { app, target, client: query.client, room: room.value });
  });
}
