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
import { applications, clock, connections, envelope, gateway, log, logger, queue, settings } from "./app.ts";

const service = { applications, clock, connections, envelope, gateway, log, logger, queue, settings };

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
  /** Idempotency key. */
  readonly key?: string | undefined;
}

/** Broadcasts to a room; its sender gets it too. Returns no place where the room's rule makes it ephemeral. Throws `UnavailableError`. */
export function broadcast({ room, message, ...input }: BroadcastInput): Promise<Result<Place | undefined>> {
  return publish(service, { ...input, topic: room, payloads: [message], echo: true });
}
