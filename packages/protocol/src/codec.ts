import type { Message, MessagesFrame, Place, ServerFrame } from "./frames.ts";
import { isJsonObject, parseJson, utf8Length } from "./json.ts";
import { MAX_SERVER_FRAME_BYTES, MAX_SERVER_FRAME_DEPTH } from "./limits.ts";

const TYPES: ReadonlySet<unknown> = new Set<ServerFrame["type"]>(["messages", "ack", "error", "pong"]);

export function encodeFrame(frame: ServerFrame): string {
  return JSON.stringify(frame);
}

/** What is told of a topic's messages beside them. */
export interface MessagesHead {
  readonly topic: string;
  readonly epoch?: Place["epoch"] | undefined;
}

/**
 * Messages as frames, in order: one, or more where one would exceed `maxBytes`. A message that is too large by itself gets a frame
 * of its own.
 */
export function encodeMessages(
  { topic, epoch }: MessagesHead,
  messages: readonly Message[],
  maxBytes = MAX_SERVER_FRAME_BYTES,
): string[] {
  const frame: MessagesFrame = { type: "messages", topic, ...(epoch !== undefined && { epoch }), messages };
  const text = JSON.stringify(frame);
  // A UTF-16 unit is at most three bytes: most frames need no count.
  if (messages.length <= 1 || text.length * 3 <= maxBytes || utf8Length(text) <= maxBytes) return [text];
  const middle = messages.length >> 1;
  return [
    ...encodeMessages({ topic, epoch }, messages.slice(0, middle), maxBytes),
    ...encodeMessages({ topic, epoch }, messages.slice(middle), maxBytes),
  ];
}

/** A frame of the topic service, or `undefined` for what a client ignores: empty frames, unknown types, and what is not a frame. */
export function decodeFrame(text: string): ServerFrame | undefined {
  const parsed = parseJson(text, MAX_SERVER_FRAME_DEPTH);
  if (!parsed.ok || !isJsonObject(parsed.value) || !TYPES.has(parsed.value.type)) return undefined;
  return parsed.value as unknown as ServerFrame;
}
