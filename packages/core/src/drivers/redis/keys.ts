import type { AppId, ConnectionId } from "../../model.ts";
import type { TopicHash } from "../topic-hash.ts";

/*
 * Every key. What stands in braces is what a cluster places it by, so that all that belongs together is in one slot, and one script can change it as one
 * step: all of a topic, all of a connection, all applications. Before each comes the client's `keyPrefix`, which tells services and stages apart that share
 * a Redis. Field names are one letter, as they are kept with each. Times are Unix ms. Keys expire an hour after what they are of: readers check the time
 * themselves.
 *
 * application   a/{name}:{apps}          hash
 *     i  id                                            r  topic rules, JSON of a list
 *     m  maxConnections, absent where there is none     c  createdAt
 *     e  expiresAt, absent where it has none            k/{key id}  JSON of h secretHash, t sealedSigningKey, g grants, c createdAt, and e expiresAt where
 *                                                                   it has one
 * names         n:{apps}                 sorted set of the names of all applications, all of one score, so that a list is a range in their order. Some may
 *                                        have ended: their names go as further applications are made.
 * ends          x:{apps}                 sorted set of the names of those that end, by when
 *   Braces stand around `apps` itself here: all applications are in one slot. A client with a prefix of its own keeps them, as all services of a stage
 *   read the same; each Lambda remembers what it read for half a minute.
 */

/** How long keys are kept beyond what they are of, so that no clock that is a little fast or slow deletes what is still valid. */
export const EXPIRY_SLACK_MS = 3_600_000;

const APPLICATIONS = "{apps}";
export const APPLICATION_NAMES = `n:${APPLICATIONS}`;
export const APPLICATION_ENDS = `x:${APPLICATIONS}`;

export function applicationKey(name: string): string {
  return `a/${name}:${APPLICATIONS}`;
}

/** A key in a topic's slot; `part` says what it is. */
export function topicPart(topic: TopicHash, part: string): string {
  return `${part}:{${topic}}`;
}

/** A key in a connection's slot; `part` says what it is. */
export function connectionPart(app: AppId, id: ConnectionId, part: string): string {
  // Encoded, so that no `/` in it makes it another application's.
  return `${part}:{${encodeURIComponent(app)}/${id}}`;
}
