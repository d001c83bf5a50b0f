import { type AppId, type ConnectionId, publish } from "@topicast/core";
import {
  DEFAULT_ROOM,
  encodeFrame,
  type JsonObject,
  type Place,
  parseTopic,
  type Result,
  type Topic,
} from "@topicast/protocol";
import { clock, connections, envelope, gateway, log, logger, queue, settings } from "./app.ts";

const service = { clock, connections, envelope, gateway, log, logger, queue, settings };

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
export async function broadcast({ room, message, ...input }: BroadcastInput): Promise<Place> {
  const place = await publish(service, { ...input, topic: room, payloads: [message], echo: true, ephemeral: false });
  if (place === undefined) throw new Error("A broadcast is never ephemeral.");
  return place;
}
