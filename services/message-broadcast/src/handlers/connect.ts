import { connect, type ReplayJob } from "@topicast/core";
import { connectResponse, parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { ok, parseSince } from "@topicast/protocol";
import { address, connections, logger, queue } from "../app.ts";
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
    const since = query.since === undefined ? ok(undefined) : parseSince(query.since);
    if (!since.ok) return since;
    const connected = await connect({ connections }, { app, target, client: query.client, room: room.value });
    if (!connected.ok || since.value === undefined) return connected;
    // Nothing can be posted to the connection before this returns, so a worker does it. It reads after the connection is in its room.
    const replay: ReplayJob = { kind: "replay", app, topic: room.value, target, since: since.value, attempt: 1 };
    await queue.send([replay]);
    return connected;
  });
}
