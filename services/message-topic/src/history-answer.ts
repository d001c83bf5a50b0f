import type { History } from "@topicast/core";
import { fitMessages, type HistoryQuery } from "@topicast/protocol";

/** An answer that carries history, as JSON: `head` and what fits into a frame, the oldest after a place or the newest of all. */
export function encodeHistory(head: object, { recovered, messages, more }: History, query: HistoryQuery): string {
  const from = "last" in query ? "newest" : "oldest";
  return fitMessages({ ...head, recovered, more }, messages, { from });
}
