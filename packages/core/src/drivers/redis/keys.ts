import type { AppId, ConnectionId, Shard } from "../../model.ts";
import type { IdempotencyKey } from "../../ports/topic-log.ts";
import { slotOf, slotsOf, slotText } from "../../shards.ts";
import { hashOf, type TopicHash } from "../topic-hash.ts";

/*
 * Every key. What stands in braces is what a cluster places it by, so that all that belongs together is in one slot, and one script can change it as one
 * step: all of a topic, all of a connection, all applications. Before each comes the client's `keyPrefix`, which tells services and stages apart that share
 * a Redis. Field names are one letter, as they are kept with each. Times are Unix ms. Keys expire a minute to an hour after what they are of: readers check
 * the time themselves.
 *
 * topic      t:{topic hash}    hash
 *     e  epoch                                         n  the last number
 *     v  how many of its numbers are void              r  the lineage of the server that gave the last number, see below
 *     x  expiresAt, a day after something was published, and hours at least after it was read
 *     w  wake-up: id, when it is due, 1 where it is sent   d  the last number that was handed out, both only while something may wait
 *     c  how many ephemeral messages were gathered
 *   Where it went from one store to another, see `ports/topic-mover.ts`:
 *     o  owner: 1 where it left for another store, 2 where that has it     j  generation: how often it went
 *     f  the last number of the store before                              m  when it came
 *   About 200 bytes.
 *
 * log        l:{topic hash}    stream, one entry a batch
 *     Its id is {its last number}-{how many it has}, so that numbers are found, ranges read, and the oldest dropped without reading what is in between.
 *     a  JSON of a list: time, from, the value of its idempotency key, the connection that gets no copy; null where there is none
 *     m  payloads, JSON of a list; absent where the numbers are void      v  how many of the epoch's numbers are void up to here
 *   About 40 bytes without payloads and names. Numbers in it follow one another without a hole, up to the topic's last, or there is none: so what isn't there
 *   is no longer kept. It is cut to its topic's retention every 16 numbers, and expires a minute after its age.
 *
 * gathered   g:{topic hash}    list
 *     JSON of a list: payloads, time, from, key, the connection that gets no copy, the name of a latest
 *   What is ephemeral, until the next tick: the last is number c, and at most 500 are kept. Expires after an hour.
 *
 * append     k/{hash of sender and key}:{topic hash}    string
 *     {expiresAt} {epoch} {last number} {how many}, and on two lines more a and m as in the log
 *   For five minutes. With its messages, as history may have dropped them by the time that a repeat asks.
 *
 * claim      i/{hash of sender and key}:{topic hash}    string
 *     {expiresAt} {a mark of the call that claimed}
 *
 * call       o/{a mark of the call}:{topic hash}    string
 *     As an append's, without messages; of what was gathered, nothing.
 *   For ten seconds: a call without a key that is sent again, as its answer was lost with the connection, must not count twice.
 *
 * connection    c:{app/id}        hash
 *     d  JSON of a list: from, connectedAt, room or null, and the address where it isn't the store's own
 *     v  validUntil, 0 where it has left                  k  1 where it is counted, see below
 *     u  when its topics were looked through last         and one field for each topic: its hash, and when it was added
 *   About 200 bytes with a `from` of 16 characters, and 40 a topic. One that has left is kept for half a minute more.
 *
 * subscribers   s:{topic hash}    sorted set, of score 0 throughout, so that it sorts by bytes
 *     {slot, two hex digits}{connection id} NUL {subscribedAt} {connectedAt} {validUntil}[ {address}]
 *   A walk goes on behind the name that it read last, and a shard is a range, as in DynamoDB. 72 bytes each up to 128 of them, 160 beyond; an address that
 *   isn't the store's own comes on top. One key, so one server, has all of a topic: a page of 1,000 takes it 0.3 ms, so that it lists three million
 *   subscribers a second, and API Gateway lets us post to ten thousand.
 *
 * shards        sn:{topic hash}   string
 *     how many shards the topic has, where it has more than one
 *
 * user          u:{hash of application and user}    sorted set, as that of subscribers
 *     {connection id} NUL …                         of each connection whose `from` isn't its own id
 *
 * counted       m:{app}           sorted set of the ids of connections that are counted, by when each can't be alive any more; of applications that have a limit
 *     Who comes counts those that may be alive, and removes some of the others. About 90 bytes each.
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
 *
 * LINEAGE. Redis may lose what it has acknowledged: when it restarts and not each write was on disk, or when a replica takes over that hadn't got it yet. Then
 * a topic's last number goes back, and what is published next would get numbers that receivers have already, who would drop it without a word. So the topic
 * remembers the server's `master_replid`: Redis makes a new one whenever it starts, and whenever a replica becomes a master (a server's `run_id` doesn't tell that it
 * was a replica in between, and lost what only it had). Where that changed, the next append leaves out some numbers, at least a thousand million and how many
 * more follows from the new one, as two servers may go on from one state. They are void, and history goes on behind them: where nothing was lost, nothing is
 * missed. Who comes with a place among them, or ahead of a topic that had such a change in its epoch, or is about to, proves that a
 * message was acknowledged and is gone. Then the topic begins a new epoch, so that everybody is told that something is missing, not only the one who can know.
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

/** Of a topic. */
export interface TopicKeys {
  readonly head: string;
  /** In the order in which every script of the log is given them. */
  readonly all: readonly [head: string, log: string, gathered: string];
}

export function topicKeys(topic: TopicHash): TopicKeys {
  const head = topicPart(topic, "t");
  return { head, all: [head, topicPart(topic, "l"), topicPart(topic, "g")] };
}

/** Of a key that an append was given. */
export function appendKey(topic: TopicHash, { sender, value }: IdempotencyKey): string {
  return topicPart(topic, `k/${hashOf([sender, value])}`);
}

export function claimKey(topic: TopicHash, { sender, value }: IdempotencyKey): string {
  return topicPart(topic, `i/${hashOf([sender, value])}`);
}

/** `mark`: no other call has it. */
export function callKey(topic: TopicHash, mark: string): string {
  return topicPart(topic, `o/${mark}`);
}

export function connectionKey(app: AppId, id: ConnectionId): string {
  return connectionPart(app, id, "c");
}

export function subscribersKey(topic: TopicHash): string {
  return topicPart(topic, "s");
}

/** What a subscriber's member begins with. */
export function subscriberName(id: ConnectionId): string {
  return `${slotText(slotOf(id))}${id}`;
}

/** The connection of a subscriber's name. */
export function subscriberId(name: string): ConnectionId {
  return name.slice(slotText(0).length) as ConnectionId;
}

/** The names of a shard's subscribers: from the first on, and before the second. */
export function subscriberRange(shard: Shard): readonly [string, string] {
  const [first, last] = slotsOf(shard);
  // `g` follows the last of the digits: "fg" comes behind all of slot "ff".
  return [slotText(first), last % 16 === 15 ? `${slotText(last)[0]}g` : slotText(last + 1)];
}

export function shardsKey(topic: TopicHash): string {
  return topicPart(topic, "sn");
}

export function userKey(app: AppId, user: string): string {
  return `u:{${hashOf([app, user])}}`;
}

export function countsKey(app: AppId): string {
  return `m:{${encodeURIComponent(app)}}`;
}
