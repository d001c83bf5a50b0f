import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Json, Place, Topic } from "@topicast/protocol";
import { aTopic, type HeldWrite, TEST_START, type TestClock, type TopicLogHarness, testClock } from "@topicast/testing";
import { createDynamoDbTopicLog } from "../src/drivers/dynamodb.ts";
import { type Appended, DEFAULT_APP, type LoggedMessage, type TopicLog } from "../src/index.ts";
import { holdWrites } from "./dynamodb-held-writes.ts";
import type { DynamoDbServer } from "./dynamodb-server.ts";

export const topic = aTopic();

export const RETENTION = { maxMessages: 1_000, maxAgeMs: 120_000 };

/** A process with a log, whose clock is its own. */
export interface Party extends Pick<TopicLogHarness, "holdNextKey" | "holdNextWrite"> {
  readonly client: DynamoDBClient;
  readonly log: TopicLog;
  readonly clock: TestClock;
}

/** `random`: by default every reader leaves a checkpoint that is worth it. */
export function aParty(server: DynamoDbServer, start = TEST_START, random = () => 0): Party {
  const { tableName } = server;
  const client = server.connect();
  const clock = testClock(start);
  const log = createDynamoDbTopicLog({ client, tableName, clock, random });
  return { client, log, clock, ...holdWrites(client) };
}

export interface Publish {
  readonly payloads: readonly Json[];
  /** The value of its idempotency key; everyone is the same sender. */
  readonly key?: string;
  readonly to?: Topic;
}

export function publish({ log, clock }: Party, { payloads, key, to = topic }: Publish): Promise<Appended> {
  const idempotency = key === undefined ? {} : { key: { sender: "alice", value: key } };
  return log.append(DEFAULT_APP, to, { payloads, time: clock.now(), ...idempotency }, RETENTION);
}

export interface HeldPublish extends HeldWrite {
  readonly published: Promise<Appended>;
}

/** A publish that stands still before it writes, or before its key is remembered. */
export async function publishHeld(by: Party, batch: Publish, before: "key" | "write" = "write"): Promise<HeldPublish> {
  const write = before === "key" ? by.holdNextKey() : by.holdNextWrite();
  const published = publish(by, batch);
  // One that is never released must not count as an unhandled rejection when the server closes.
  published.catch(() => undefined);
  await write.held;
  return { ...write, published };
}

export function place({ log }: Party): Promise<Place> {
  return log.place(DEFAULT_APP, topic);
}

/** All messages after a place, in pages of at most `limit`. Throws where they are not there. */
export async function messagesSince({ log }: Party, since: Place, limit = 100, of = topic): Promise<LoggedMessage[]> {
  const messages: LoggedMessage[] = [];
  for (let more = true; more; ) {
    const at = { ...since, seq: messages.at(-1)?.seq ?? since.seq };
    const page = await log.readSince(DEFAULT_APP, of, at, { limit, retention: RETENTION });
    if (!page.recovered) throw new Error("The history is not there.");
    messages.push(...page.messages);
    more = page.more;
  }
  return messages;
}

/** The payloads after a place. */
export async function payloadsSince(by: Party, since: Place): Promise<readonly Json[] | "not recovered"> {
  const page = await by.log.readSince(DEFAULT_APP, topic, since, { limit: 1_000, retention: RETENTION });
  return page.recovered ? page.messages.map(({ payload }) => payload) : "not recovered";
}

/** The payloads of the whole epoch. */
export async function history(by: Party): Promise<readonly Json[] | "not recovered"> {
  const { epoch } = await place(by);
  return payloadsSince(by, { epoch, seq: 0 });
}
