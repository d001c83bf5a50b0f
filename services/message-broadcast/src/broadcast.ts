import { type AppId, type ConnectionId, findSender, publish, type Service } from "@topicast/core";
import { faultOf, routeResponse, type WebSocketCall } from "@topicast/core/lambda";
import {
  DEFAULT_ROOM,
  encodeFrame,
  isBroadcastPing,
  type JsonObject,
  MAX_CLIENT_FRAME_BYTES,
  ok,
  type Place,
  parseBroadcast,
  parseTopic,
  type Result,
  type Topic,
} from "@topicast/protocol";

export const PONG = encodeFrame({ type: "pong" });

/** Checks `?room_id=`; without it the room is the lobby. */
export function parseRoom(roomId: string | undefined): Result<Topic> {
  return parseTopic(roomId ?? DEFAULT_ROOM, "room_id");
}

export interface BroadcastInput {
  readonly app: AppId;
  readonly room: Topic;
  readonly message: JsonObject;
  readonly from?: string;
  readonly sender?: ConnectionId;
}

/** Broadcasts to a room; its sender gets it too. Throws `UnavailableError`. */
export async function broadcast(service: Service, { room, message, ...input }: BroadcastInput): Promise<Place> {
  const place = await publish(service, { ...input, topic: room, payloads: [message], echo: true, ephemeral: false });
  if (place === undefined) throw new Error("A broadcast is never ephemeral.");
  return place;
}

/** Handles a client's message. It is answered only where it is a ping or fails. */
export async function handleMessage(service: Service, call: WebSocketCall) {
  try {
    const reply = await broadcastFrom(service, call);
    return routeResponse(reply.ok ? reply.value : encodeFrame({ type: "error", ...reply.fault }));
  } catch (error) {
    return routeResponse(encodeFrame({ type: "error", ...faultOf(error, service.logger) }));
  }
}

async function broadcastFrom(
  service: Service,
  { app, connection, body }: WebSocketCall,
): Promise<Result<string | undefined>> {
  const message = parseBroadcast(body, MAX_CLIENT_FRAME_BYTES);
  if (!message.ok) return message;
  if (isBroadcastPing(body, message.value)) return ok(PONG);
  const sender = await findSender(service, app, connection.id);
  if (!sender.ok) return sender;
  const { from, room } = sender.value;
  if (room === undefined) throw new Error("A connection of this service has no room.");
  await broadcast(service, { app, room, message: message.value, from, sender: connection.id });
  return ok(undefined);
}
