import { allow, describeTopic, may } from "@topicast/core";
import { connectionRoutes, type HttpAnswer, type HttpCall, health, httpHandler, json } from "@topicast/core/lambda";
import { isBroadcastPing, MAX_HTTP_PAYLOAD_BYTES, parseBroadcast, parseIdempotencyKey } from "@topicast/protocol";
import { allowedOrigins, checkKey, clock, connections, gateway, log, logger, queue } from "../app.ts";
import { broadcast, PONG, parseRoom } from "../broadcast.ts";

const service = { clock, connections, gateway, log, logger, queue };

export const handler = httpHandler(
  { allowedOrigins, checkKey, logger },
  {
    forAnyone: { "GET /health": () => health(service) },
    withKey: {
      "POST /messages": broadcastFromBackend,
      "GET /rooms/{proxy+}": lookAtRoom,
      ...connectionRoutes(service),
    },
  },
);

async function broadcastFromBackend(call: HttpCall): Promise<HttpAnswer> {
  const { app, query, headers, body } = call;
  const room = parseRoom(query.room_id);
  if (!room.ok) return room;
  const allowed = allow(call, "publish", room.value);
  if (!allowed.ok) return allowed;
  const message = parseBroadcast(body, MAX_HTTP_PAYLOAD_BYTES);
  if (!message.ok) return message;
  if (isBroadcastPing(body, message.value)) return json(200, JSON.parse(PONG));
  const key = parseIdempotencyKey(headers["idempotency-key"]);
  if (!key.ok) return key;
  const published = await broadcast({ app, room: room.value, message: message.value, key: key.value });
  return published.ok ? json(202, published.value ?? {}) : published;
}

/** Who may join a room learns where it stands anyway. */
async function lookAtRoom(call: HttpCall): Promise<HttpAnswer> {
  const room = parseRoom(call.rest);
  if (!room.ok) return room;
  const allowed = allow(call, may(call, "subscribe", room.value) ? "subscribe" : "admin", room.value);
  if (!allowed.ok) return allowed;
  const { place, ...count } = await describeTopic(service, call.app, room.value);
  return json(200, { room: room.value, ...place, ...count });
}
