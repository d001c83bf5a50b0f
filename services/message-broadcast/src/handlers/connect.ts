import { allow, type Connection, connect } from "@topicast/core";
import { connectResponse, parseWebSocketEvent, type WebSocketEvent } from "@topicast/core/lambda";
import { ok, type Place, parseSince, type Topic } from "@topicast/protocol";
import { address, applications, connections, log, logger, queue } from "../app.ts";
import { parseRoom } from "../broadcast.ts";
import { handleMisrouted } from "../message-handler.ts";

export async function handler(event: WebSocketEvent) {
  const call = parseWebSocketEvent(event, address);
  // A message like any other.
  if (call.kind !== "connect") return handleMisrouted(call);
  const { connection: target, query } = call;
  return connectResponse(logger, call.headers, async () => {
    const room = parseRoom(query.room_id);
    if (!room.ok) return room;
    const allowed = allow(call, "subscribe", room.value);
    if (!allowed.ok) return allowed;
    const since = query.since === undefined ? ok(undefined) : parseSince(query.since);
    if (!since.ok) return since;
    const connected = await connect(
      { applications, connections },
      { caller: call, target, client: query.client, room: room.value },
    );
    if (connected.ok && since.value !== undefined) await replayLater(connected.value, room.value, since.value);
    return connected;
  });
}

/**
 * Nothing can be posted to a connection before this handler returns, so a worker does it. It ends at the number that is the last now that the connection is
 * in its room: what is numbered later comes live, the connection's own messages among it.
 */
async function replayLater(connection: Connection, topic: Topic, since: Place): Promise<void> {
  const { app, id, connectedAt, validUntil } = connection;
  const target = { id, address: connection.address, connectedAt };
  // Of a topic that is forgotten nothing can be replayed, which the worker finds.
  const [until = since] = await log.newest(app, [topic]);
  await queue.send([{ kind: "replay", app, topic, target, validUntil, since, until, attempt: 1 }]);
}
