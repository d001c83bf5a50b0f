import { randomBytes } from "node:crypto";
import { DeleteItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Json, Place } from "@topicast/protocol";
import { aTopic, type HeldWrite, meterCapacity, type TestClock, testClock } from "@topicast/testing";
import { logKey, topicHash } from "../src/drivers/dynamodb/keys.ts";
import { createDynamoDbTopicLog } from "../src/drivers/dynamodb.ts";
import { DEFAULT_APP, type TopicLog, VOID_AFTER_MS } from "../src/index.ts";
import { holdWrites } from "./dynamodb-held-writes.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";

const topic = aTopic();
const HOUR_MS = 3_600_000;

/** A process with a log, whose clock is its own. */
interface Party {
  readonly client: DynamoDBClient;
  readonly log: TopicLog;
  readonly clock: TestClock;
  holdNextWrite(): HeldWrite;
}

let server: DynamoDbServer;
let party: Party;

beforeEach(async () => {
  server = await startDynamoDb();
  party = aParty();
});

afterEach(() => server.close());

function aParty(): Party {
  const { tableName } = server;
  const client = server.connect();
  const clock = testClock();
  const log = createDynamoDbTopicLog({ client, tableName, clock });
  return { client, log, clock, holdNextWrite: holdWrites(client) };
}

function publish({ log, clock }: Party, ...payloads: Json[]) {
  return log.append(DEFAULT_APP, topic, { payloads, time: clock.now() });
}

async function publishHeld(by: Party, ...payloads: Json[]) {
  const write = by.holdNextWrite();
  const published = publish(by, ...payloads);
  // One that is never released must not count as an unhandled rejection when the server closes.
  published.catch(() => undefined);
  await write.held;
  return { ...write, published };
}

function place({ log }: Party): Promise<Place> {
  return log.place(DEFAULT_APP, topic);
}

async function payloadsSince({ log }: Party, since: Place) {
  const page = await log.readSince(DEFAULT_APP, topic, since, 1_000);
  return page.recovered ? page.messages.map(({ payload }) => payload) : "not recovered";
}

describe("a DynamoDB log and its clocks", () => {
  it("gives a publisher new numbers whose clock doesn't say that it is late", async () => {
    const reader = aParty();
    const late = await publishHeld(party, "late 1", "late 2");
    await reader.clock.advance(VOID_AFTER_MS + 1);
    const { epoch, seq } = await place(reader);
    expect(seq).toBe(2);
    late.release();
    expect((await late.published).messages).toMatchObject([{ seq: 3 }, { seq: 4 }]);
    expect(await payloadsSince(reader, { epoch, seq: 0 })).toEqual(["late 1", "late 2"]);
  });

  it("leaves a batch whole that is written while a reader makes its numbers void", async () => {
    const reader = aParty();
    const late = await publishHeld(party, "late 1", "late 2", "late 3");
    await reader.clock.advance(VOID_AFTER_MS);
    reader.client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === "PutItemCommand") {
            late.release();
            await late.published;
          }
          return next(args);
        },
      { step: "initialize", name: "letTheLateGoFirst" },
    );
    const { epoch, seq } = await place(reader);
    expect(seq).toBe(3);
    for (const since of [0, 1, 2]) {
      const after = ["late 1", "late 2", "late 3"].slice(since);
      expect(await payloadsSince(reader, { epoch, seq: since })).toEqual(after);
    }
  });

  it("takes new numbers where taking them was slow", async () => {
    const stop = server.fail("UpdateItem", (_, __, handle) => {
      stop();
      void party.clock.advance(VOID_AFTER_MS).then(handle);
    });
    expect((await publish(party, "slow")).messages).toMatchObject([{ seq: 2 }]);
  });

  it("doesn't acknowledge what a process wrote that stood still for too long", async () => {
    const late = await publishHeld(party, "late");
    await party.clock.advance(5_001);
    late.release();
    await expect(late.published).rejects.toMatchObject({ name: "UnavailableError" });
  });

  it("follows two to three seconds behind where every write fails", async () => {
    for (let i = 1; i <= 50; i++) {
      await publishHeld(party, "never");
      const { seq } = await place(party);
      expect(seq).toBeLessThanOrEqual(Math.max(0, i - 20));
      expect(seq).toBeGreaterThanOrEqual(Math.max(0, i - 31));
      await party.clock.advance(100);
    }
  });

  it("passes without a write what nobody looked at for ten seconds", async () => {
    await publish(party, "a");
    await publishHeld(party, "never");
    await party.clock.advance(10_000);
    const meter = meterCapacity(server.client);
    const { tableName, client } = server;
    const reader = createDynamoDbTopicLog({ client, tableName, clock: party.clock });
    expect(await meter.measure(() => reader.place(DEFAULT_APP, topic))).toEqual({ read: 1, write: 0 });
    const { epoch, seq } = await reader.place(DEFAULT_APP, topic);
    expect(seq).toBe(2);
    await publish(party, "b");
    expect(await payloadsSince(party, { epoch, seq: 0 })).toEqual(["a", "b"]);
    expect(await payloadsSince(party, { epoch, seq: 1 })).toEqual(["b"]);
  });

  it("makes at most 100 numbers void in one call", async () => {
    for (let i = 0; i < 3; i++) await publishHeld(party, ...Array.from({ length: 100 }, (_, part) => part));
    await party.clock.advance(VOID_AFTER_MS + 1);
    for (const seq of [100, 200, 300, 300]) expect((await place(party)).seq).toBe(seq);
  });
});

describe("a DynamoDB log over time", () => {
  it("forgets a topic a day after its last use, though its rows may be there for two days more", async () => {
    const { epoch } = await publish(party, "a");
    await party.clock.advance(25 * HOUR_MS);
    const begun = await publish(party, "b");
    expect(begun.epoch).not.toBe(epoch);
    expect(begun.messages).toMatchObject([{ seq: 1 }]);
    await party.clock.advance(25 * HOUR_MS);
    expect((await place(party)).epoch).not.toBe(begun.epoch);
  });

  it("keeps a topic that is read longer than any connection lives", async () => {
    const { epoch } = await publish(party, "a");
    await party.clock.advance(23 * HOUR_MS);
    expect(await place(party)).toEqual({ epoch, seq: 1 });
    await party.clock.advance(3 * HOUR_MS);
    expect(await place(party)).toEqual({ epoch, seq: 1 });
    expect(await publish(party, "b")).toMatchObject({ epoch, messages: [{ seq: 2 }] });
  });

  it("recovers nothing where rows were deleted", async () => {
    const { epoch } = await publish(party, 1);
    for (const payload of [2, 3, 4]) await publish(party, payload);
    await party.clock.advance(60_000);
    for (const seq of [1, 2]) {
      const { p, s } = logKey(topicHash(DEFAULT_APP, topic), epoch, seq);
      const Key = { p: { S: p }, s: { S: s } };
      await server.client.send(new DeleteItemCommand({ TableName: server.tableName, Key }));
    }
    for (const seq of [0, 1]) expect(await payloadsSince(party, { epoch, seq })).toBe("not recovered");
    for (const seq of [2, 3, 4]) expect(await payloadsSince(party, { epoch, seq })).toEqual([3, 4].slice(seq - 2));
  });
});

describe("a DynamoDB log and large payloads", () => {
  it("reads a history of more than 1 MB that can't be deflated, and ends pages near 128 KB", async () => {
    const payloads = Array.from({ length: 60 }, () => randomBytes(22_500).toString("base64url"));
    for (const payload of payloads) await publish(party, payload);
    const { epoch } = await place(party);
    const read: Json[] = [];
    for (let more = true; more; ) {
      const page = await party.log.readSince(DEFAULT_APP, topic, { epoch, seq: read.length }, 1_000);
      if (!page.recovered) throw new Error("The history is not there.");
      read.push(...page.messages.map(({ payload }) => payload));
      expect(page.messages.length).toBeLessThanOrEqual(5);
      more = page.more;
    }
    expect(read).toEqual(payloads);
  });

  it("ends the page where a batch of messages goes past the limit", async () => {
    const { epoch } = await publish(party, 1, 2, 3, 4);
    await publish(party, 5, 6);
    const page = await party.log.readSince(DEFAULT_APP, topic, { epoch, seq: 2 }, 3);
    expect(page).toMatchObject({ more: true, messages: [{ seq: 3 }, { seq: 4 }, { seq: 5 }] });
  });
});
