import type { LoggedMessage } from "../../model.ts";
import { MAX_PAGE_BYTES, type Retention } from "../../ports/topic-log.ts";
import type { LogEntry } from "./redis-entries.ts";

export interface Positioned {
  readonly message: LoggedMessage;
  /** Among the messages of its epoch, where void numbers don't count. */
  readonly position: number;
}

export function positioned({ messages, void: before }: LogEntry): Positioned[] {
  return messages.map((message) => ({ message, position: message.seq - before }));
}

/** Whether a message is among those that a topic keeps which has so many. `now`: Unix ms. */
export function keeping({ maxMessages, maxAgeMs }: Retention, count: number, now: number) {
  const keptAfter = now - maxAgeMs;
  return ({ message, position }: Positioned) => position > count - maxMessages && message.time > keptAfter;
}

/** The first messages, as many as a page holds; whether one had no place though it was within the limit. */
export function fill(found: readonly Positioned[], limit: number) {
  const messages: LoggedMessage[] = [];
  let bytes = 0;
  for (const { message } of found.slice(0, limit)) {
    bytes += Buffer.byteLength(JSON.stringify(message.payload));
    if (messages.length > 0 && bytes > MAX_PAGE_BYTES) return { messages, more: true };
    messages.push(message);
  }
  return { messages, more: false };
}

/** What a page's payloads have at most as JSON of arrays. */
export function bytesOfEntries(limit: number): number {
  return MAX_PAGE_BYTES + 3 * limit;
}
