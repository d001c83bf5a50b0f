import type { AppId, ConnectionId, Shard } from "../../model.ts";
import type { IdempotencyKey } from "../../ports/topic-log.ts";
import { slotOf, slotsOf, slotText } from "../../shards.ts";
import { hashOf, type TopicHash } from "../topic-hash.ts";

/*
 * Every row of the one table, and last that of the table of applications. Its key is `p` (partition) and `s` (sort), both strings; `x` is its
 * TTL in Unix seconds, which deletes up to two days late, so that readers check the time themselves; of what is valid for a time it is some minutes behind, so
 * that its end is noticed. Names are one letter because DynamoDB bills them with each row. Times are Unix ms.
 * The sizes are DynamoDB's: names and values in UTF-8, a number about half a byte a digit and one.
 *
 * connection    p c/{app}/{id}         s #
 *     a  address, absent where it is the store's own     f  from
 *     r  room, absent where there is none                c  connectedAt
 *     v  validUntil                                      t  map from topic hash to when it was added, in
 *     u  when its topics were looked through last           whole seconds after c, as ms
 *     k  1 where it is counted, see below
 *   About 110 bytes with a `from` of 16 characters, and 28 a topic: beyond about 33 topics each write to it costs a second unit.
 *
 * subscription  p s/{topic hash}       s {slot, two hex digits}{connection id}
 *     a, c, v  as above                                b  subscribedAt
 *   80 bytes, 51 of them in the 4 KB of a read unit; an address that isn't the store's own comes on top. A shard is a range of slots, and a slot
 *   follows from the id (`shards.ts`): any number of shards can be walked at any time, a subscribe has none to look up, and none is ever emptied or
 *   left behind. One partition is enough: of its 3,000 read units a second a walk takes one for 51 posts, so that API Gateway would have to allow
 *   150,000 of them a second, 15 times its default; of its 1,000 writes a subscriber who comes takes one, and API Gateway lets in 500 a second. Should
 *   it run hot all the same, DynamoDB splits it between two slots.
 *
 * shards        p s/{topic hash}       s #
 *     n  how many shards the topic has, where it has more than one
 *   Before all subscriptions, so that the Query that begins a walk returns it too.
 *
 * user          p u/{hash of application and user}   s {connection id}
 *     a, c, v  as above
 *   One for each connection whose `from` isn't its own id. About 75 bytes.
 *
 * count         p n/{app}              s #
 *     n  connections that are counted                    b{n}  how many of them were made in the n-th ten minutes since 1970
 *   One for each application that has a limit. n is the sum of the others, at most some 20: those that can't be alive are taken away together.
 *
 * topic         p t/{topic hash}       s #
 *     e  epoch                                           n  the last number taken
 *     c  checkpoint: every number up to it is settled    n0 … n3, t0 … t3  recent takings, see `topic-log/dynamodb-takings.ts`
 *     b  when its first number was taken
 *   About 160 bytes. Where its deliveries leave in ticks, about 80 more:
 *     w  wake-up: id, when it is due, 1 where it is sent   d  the last number that was handed out, both only while something may wait
 *     g  the last number of what was gathered              a  when that was counted
 *     h  the last of these that was handed out
 *   Where it went from one store to another, see `ports/topic-mover.ts`, about 40 more:
 *     o  owner: 1 where it left for another store,         j  generation: how often it went
 *        2 where that has it
 *     f  the last number of the store before              m  when it came
 *
 * log           p l/{topic hash}/{epoch}   s {its first number, 16 digits}
 *     q  how many numbers it holds, absent for one       k  when they were taken
 *     m  payloads, JSON of an array, deflated where long f  from, absent where there is none
 *     t  time                                            i  the value of its idempotency key, absent where there is none
 *     v  void: nobody may write here; besides only k, and q where its publisher or a repeat knew how many
 *     o  the connection that gets no copy, absent where there is none, and where nothing waits for a tick
 *   About 100 bytes without payloads and key. The partition is one epoch's, so that numbers that begin again meet no old rows.
 *
 * gathered      p g/{topic hash}/{epoch}   s {number, 16 digits}
 *     m, f, t, i, o  as in the log                     l  the name of a latest, absent where there is none
 *   What is ephemeral, until the next tick. As the log's, and deleted after an hour.
 *
 * key           p k/{hash of topic, sender and key}    s append
 *     e  epoch and                                       n  first of the numbers that its batch was given last
 *     q  how many they are                               k  when they were taken
 *     v  until when it is remembered
 *   About 90 bytes. A claim is one too, of the sort key "claim": it has v and i, a random mark of the call that claimed.
 *
 * application   p a                    s {name}
 *     i  id                                            r  topic rules, JSON of a list
 *     m  maxConnections, absent where there is none     c  createdAt
 *     e  expiresAt, absent where it has none            k  map from key id to h secretHash, t sealedSigningKey, g grants as JSON,
 *                                                          c createdAt, and e expiresAt where it has one
 *   About 100 bytes and 300 a key, in a table of its own, which all services of a stage read. One partition, so that a list is a Query; it
 *   gives 3,000 reads a second, and each Lambda remembers what it read for half a minute.
 */

export interface Key {
  readonly p: string;
  readonly s: string;
}

/** The sort key of a partition's only or first row: it sorts before every connection id and number. */
export const HEAD = "#";

export const APPLICATIONS_PARTITION = "a";

/** Digits of the largest safe integer. */
const NUMBER_DIGITS = 16;

export function connectionKey(app: AppId, id: ConnectionId): Key {
  // Encoded, so that no `/` in it makes it another application's.
  return { p: `c/${encodeURIComponent(app)}/${id}`, s: HEAD };
}

export function subscriptionKey(topic: TopicHash, id: ConnectionId): Key {
  return { p: subscriptionPartition(topic), s: `${slotText(slotOf(id))}${id}` };
}

export function subscriptionPartition(topic: TopicHash): string {
  return `s/${topic}`;
}

/** Bounds of the sort keys of a shard's subscriptions. */
export function subscriptionRange(shard: Shard): readonly [string, string] {
  const [first, last] = slotsOf(shard);
  // Every id sorts before it.
  return [slotText(first), `${slotText(last)}~`];
}

/** The connection of a subscription's sort key. */
export function subscribedId(sortKey: string): ConnectionId {
  return sortKey.slice(slotText(0).length) as ConnectionId;
}

export function shardsKey(topic: TopicHash): Key {
  return { p: subscriptionPartition(topic), s: HEAD };
}

export function countKey(app: AppId): Key {
  return { p: `n/${app}`, s: HEAD };
}

export function userKey(app: AppId, user: string, id: ConnectionId): Key {
  return { p: userPartition(app, user), s: id };
}

export function userPartition(app: AppId, user: string): string {
  return `u/${hashOf([app, user])}`;
}

export function topicKey(topic: TopicHash): Key {
  return { p: `t/${topic}`, s: HEAD };
}

export function logKey(topic: TopicHash, epoch: string, first: number): Key {
  return { p: logPartition(topic, epoch), s: logSort(first) };
}

export function logPartition(topic: TopicHash, epoch: string): string {
  return `l/${topic}/${epoch}`;
}

export function gatheredKey(topic: TopicHash, epoch: string, number: number): Key {
  return { p: gatheredPartition(topic, epoch), s: logSort(number) };
}

export function gatheredPartition(topic: TopicHash, epoch: string): string {
  return `g/${topic}/${epoch}`;
}

/** Numbers as text that sorts as they do. */
export function logSort(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, "0");
}

export function applicationKey(name: string): Key {
  return { p: APPLICATIONS_PARTITION, s: name };
}

/** Of a key that an append, or a claim, was given. */
export function idempotencyKey(topic: TopicHash, { sender, value }: IdempotencyKey, use: "append" | "claim"): Key {
  return { p: `k/${hashOf([topic, sender, value])}`, s: use };
}
