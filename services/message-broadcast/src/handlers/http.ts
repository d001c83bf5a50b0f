import { type HttpCall, type HttpResponse, health, httpHandler, json, problem } from "@topicast/core/lambda";
import { isBroadcastPing, MAX_HTTP_PAYLOAD_BYTES, parseBroadcast } from "@topicast/protocol";
import { service } from "../app.ts";
import { broadcast, PONG, parseRoom } from "../broadcast.ts";

export const handler = httpHandler(service.logger, {
  "POST /messages": broadcastFromBackend,
  "GET /health": () => health(service),
});

async function broadcastFromBackend({ app, query, body }: HttpCall): Promise<HttpResponse> {
  const room = parseRoom(query.room_id);
  if (!room.ok) return problem(room.fault);
  const message = parseBroadcast(body, MAX_HTTP_PAYLOAD_BYTES);
  if (!message.ok) return problem(message.fault);
  if (isBroadcastPing(body, message.value)) return json(200, JSON.parse(PONG));
  return json(202, await broadcast(service, { app, room: room.value, message: message.value }));
}
