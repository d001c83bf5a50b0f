import { allow } from "@topicast/core";
import { type HttpCall, type HttpResponse, health, httpHandler, json, problem } from "@topicast/core/lambda";
import { isBroadcastPing, MAX_HTTP_PAYLOAD_BYTES, parseBroadcast, parseIdempotencyKey } from "@topicast/protocol";
import { allowedOrigins, checkKey, clock, connections, logger, queue } from "../app.ts";
import { broadcast, PONG, parseRoom } from "../broadcast.ts";

const options = { allowedOrigins, checkKey, logger };

export const handler = httpHandler(options, {
  forAnyone: { "GET /health": () => health({ clock, connections, queue, logger }) },
  withKey: { "POST /messages": broadcastFromBackend },
});

async function broadcastFromBackend(call: HttpCall): Promise<HttpResponse> {
  const { app, query, headers, body } = call;
  const room = parseRoom(query.room_id);
  if (!room.ok) return problem(room.fault);
  const allowed = allow(call, "publish", room.value);
  if (!allowed.ok) return problem(allowed.fault);
  const message = parseBroadcast(body, MAX_HTTP_PAYLOAD_BYTES);
  if (!message.ok) return problem(message.fault);
  if (isBroadcastPing(body, message.value)) return json(200, JSON.parse(PONG));
  const key = parseIdempotencyKey(headers["idempotency-key"]);
  if (!key.ok) return problem(key.fault);
  const published = await broadcast({ app, room: room.value, message: message.value, key: key.value });
  return published.ok ? json(202, published.value ?? {}) : problem(published.fault);
}
