import { ok, type Result } from "./codes.ts";
import { isJsonObject, type JsonObject, parseJson, utf8Length } from "./json.ts";
import { MAX_SERVER_FRAME_BYTES } from "./limits.ts";
import { tooLarge } from "./schema.ts";

/** The room where `room_id` names none. */
export const DEFAULT_ROOM = "lobby";

/** What leaves room in a frame for the marks. */
const MAX_WRAPPED_BYTES = MAX_SERVER_FRAME_BYTES - 1024;

/** What the service adds to a broadcast message. A sender's own keys with these names are overwritten. */
export interface BroadcastMarks {
  /** Whether the receiver is the connection that sent it. */
  readonly _me: boolean;
  /** Unix ms at which the service accepted it. */
  readonly _now: number;
  /** Who sent it; absent where a backend did. */
  readonly _from?: string;
  /** Its place; absent where it is ephemeral. */
  readonly _seq?: number;
  readonly _epoch?: string;
}

/** What a client or backend sent, as the object that is broadcast: itself where it is a JSON object, else under `data`. */
export function wrapBroadcast(body: string): JsonObject {
  const parsed = parseJson(body);
  if (!parsed.ok) return { data: body };
  return isJsonObject(parsed.value) ? parsed.value : { data: parsed.value };
}

/** Like {@link wrapBroadcast}, for a body of at most `maxBytes`. Never throws. */
export function parseBroadcast(body: string, maxBytes: number): Result<JsonObject> {
  const bytes = utf8Length(body);
  if (bytes > maxBytes) return tooLarge("This message is", bytes, maxBytes);
  const wrapped = wrapBroadcast(body);
  // Text full of quotes or control characters grows when it is written as JSON.
  const wrappedBytes = utf8Length(JSON.stringify(wrapped));
  return wrappedBytes > MAX_WRAPPED_BYTES
    ? tooLarge("Written as JSON, this message is", wrappedBytes, MAX_WRAPPED_BYTES)
    : ok(wrapped);
}

/** `ping` as the whole body, or `{"action":"ping"}`: answered to the sender alone. */
export function isBroadcastPing(body: string, wrapped: JsonObject): boolean {
  return body === "ping" || wrapped.action === "ping";
}

/** A sender's own keys of these names are left out, also where there is no mark to put in their place. */
const MARKS: ReadonlySet<string> = new Set<keyof BroadcastMarks>(["_me", "_now", "_from", "_seq", "_epoch"]);

export function encodeBroadcast(wrapped: JsonObject, marks: BroadcastMarks): string {
  const own = Object.entries(wrapped).filter(([name]) => !MARKS.has(name));
  return JSON.stringify({ ...Object.fromEntries(own), ...marks });
}
