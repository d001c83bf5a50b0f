import type { AppId, ConnectionId } from "../../model.ts";
import type { TopicHash } from "../topic-hash.ts";

/*
 * Every key. What stands in braces is what a cluster places it by, so that all that belongs together is in one slot, and one script can change it as one
 * step: all of a topic, all of a connection, all applications. Before each comes the client's `keyPrefix`, which tells services and stages apart that share
 * a Redis. Field names are one letter, as they are kept with each. Times are Unix ms. Keys expire an hour after what they are of: readers check the time
 * themselves.
 */

/** A key in a topic's slot; `part` says what it is. */
export function topicPart(topic: TopicHash, part: string): string {
  return `${part}:{${topic}}`;
}

/** A key in a connection's slot; `part` says what it is. */
export function connectionPart(app: AppId, id: ConnectionId, part: string): string {
  // Encoded, so that no `/` in it makes it another application's.
  return `${part}:{${encodeURIComponent(app)}/${id}}`;
}
