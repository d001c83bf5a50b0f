import type { Message, MessagesFrame, Place, RecoveryFrame, ServerFrame } from "./frames.ts";
import { isJsonObject, parseJson, utf8Length } from "./json.ts";
import { MAX_SERVER_FRAME_BYTES, MAX_SERVER_FRAME_DEPTH } from "./limits.ts";

const TYPES: ReadonlySet<unknown> = new Set<ServerFrame["type"]>([
  "messages",
  "ack",
  "error",
  "pong",
  "closing",
  "direct",
]);

export function encodeFrame(frame: ServerFrame | RecoveryFrame): string {
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

export interface FitOptions {
  /** Which to keep where not all fit. */
  readonly from: "oldest" | "newest";
  readonly maxBytes?: number;
}

/**
 * `head` with as many `messages` as fit into `maxBytes`, in order, as JSON text; `more` says that some were left out, or what `head` says. `head` is
 * an `ack` without messages, or the answer of the same over HTTP. It holds one message at least, since a client could never pass a page without:
 * the limits of a publish let each fit by itself.
 */
export function fitMessages<Head extends object>(
  head: Head & { readonly more?: boolean; readonly messages?: never },
  messages: readonly Message[],
  { from, maxBytes = MAX_SERVER_FRAME_BYTES }: FitOptions,
): string {
  const around = (more: boolean) => JSON.stringify({ ...head, more }).slice(0, -1);
  const fitting: string[] = [];
  let bytes = utf8Length(around(false)) + `,"messages":[]}`.length;
  for (const message of from === "oldest" ? messages : messages.toReversed()) {
    const text = JSON.stringify(message);
    bytes += utf8Length(text) + (fitting.length > 0 ? 1 : 0);
    if (bytes > maxBytes && fitting.length > 0) break;
    fitting.push(text);
  }
  const more = head.more === true || fitting.length < messages.length;
  if (from === "newest") fitting.reverse();
  return `${around(more)},"messages":[${fitting.join()}]}`;
}

/** A frame of the topic service, or `undefined` for what a client ignores: empty frames, unknown types, and what is not a frame. */
export function decodeFrame(text: string): ServerFrame | undefined {
  const parsed = parseJson(text, MAX_SERVER_FRAME_DEPTH);
  if (!parsed.ok || !isJsonObject(parsed.value) || !TYPES.has(parsed.value.type)) return undefined;
  return parsed.value as unknown as ServerFrame;
}
