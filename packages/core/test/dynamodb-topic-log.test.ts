import { randomBytes } from "node:crypto";
import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { Json } from "@topicast/protocol";
import { meterCapacity } from "@topicast/testing";
import { logKey } from "../src/drivers/dynamodb/keys.ts";
import { createDynamoDbTopicLog } from "../src/drivers/dynamodb.ts";
import { topicHash } from "../src/drivers/topic-hash.ts";
import { DEFAULT_APP, VOID_AFTER_MS } from "../src/index.ts";
import { aParty, type Party, payloadsSince, place, publish, publishHeld, RETENTION, topic } from "./dynamodb-party.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";

const HOUR_MS = 3_600_000;

/** Some make hundreds of calls: seconds, where the machine is busy. */
jest.setTimeout(20_000);

let server: DynamoDbServer;
let party: Party;

beforeEach(async () => {
  server = await startDynamoDb();
  party = aParty(server);
});

afterEach(() => server.close());

describe("a DynamoDB log and its clocks", () => {
  it("gives a publisher new numbers whose clock doesn't say that it is late", async () => {
    const reader = aParty(server);
    const late = await publishHeld(party, { payloads: ["late 1", "late 2"] });
    await reader.clock.advance(VOID_AFTER_MS + 1);
    const { epoch, seq } = await place(reader);
    expect(seq).toBe(2);
    late.release();
    expect((await late.published).messages).toMatchObject([{ seq: 3 }, { seq: 4 }]);
    expect(await payloadsSince(reader, { epoch, seq: 0 })).toEqual(["late 1", "late 2"]);
  });

  it("leaves a batch whole that is written while a reader makes its numbers void", async () => {
    const reader = aParty(server);
    const late = await publishHeld(party, { payloads: ["late 1", "late 2", "late 3"] });
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
    expect((await publish(party, { payloads: ["slow"] })).messages).toMatchObject([{ seq: 2 }]);
  });

  it("doesn't acknowledge what a process wrote that stood still for too long", async () => {
    const late = await publishHeld(party, { payloads: ["late"] });
    await party.clock.advance(5_001);
    late.release();
    await expect(late.published).rejects.toMatchObject({ name: "UnavailableError" });
  });

  it("follows two to three seconds behind where every write fails", async () => {
    for (let i = 1; i <= 50; i++) {
      await publishHeld(party, { payloads: ["never"] });
      const { seq } = await place(party);
      expect(seq).toBeLessThanOrEqual(Math.max(0, i - 20));
      expect(seq).toBeGreaterThanOrEqual(Math.max(0, i - 31));
      await party.clock.advance(100);
    }
  });

  it("passes without a write what nobody looked at for ten seconds", async () => {
    await publish(party, { payloads: ["a"] });
    await publishHeld(party, { payloads: ["never"] });
    await party.clock.advance(10_000);
    const meter = meterCapacity(server.client);
    const { tableName, client } = server;
    const reader = createDynamoDbTopicLog({ client, tableName, clock: party.clock });
    expect(await meter.measure(() => reader.place(DEFAULT_APP, topic))).toEqual({ read: 1, write: 0 });
    const { epoch, seq } = await reader.place(DEFAULT_APP, topic);
    expect(seq).toBe(2);
    await publish(party, { payloads: ["b"] });
    expect(await payloadsSince(party, { epoch, seq: 0 })).toEqual(["a", "b"]);
    expect(await payloadsSince(party, { epoch, seq: 1 })).toEqual(["b"]);
  });

  it("makes at most 100 numbers void in one call", async () => {
    const payloads = Array.from({ length: 100 }, (_, part) => part);
    for (let i = 0; i < 3; i++) await publishHeld(party, { payloads });
    await party.clock.advance(VOID_AFTER_MS + 1);
    for (const seq of [100, 200, 300, 300]) expect((await place(party)).seq).toBe(seq);
  });
});

describe("a DynamoDB log over time", () => {
  it("forgets a topic a day after its last use, though its rows may be there for two days more", async () => {
    const { epoch } = (await publish(party, { payloads: ["a"] })).place;
    await party.clock.advance(25 * HOUR_MS);
    const begun = await publish(party, { payloads: ["b"] });
    expect(begun.place.epoch).not.toBe(epoch);
    expect(begun.messages).toMatchObject([{ seq: 1 }]);
    await party.clock.advance(25 * HOUR_MS);
    expect((await place(party)).epoch).not.toBe(begun.place.epoch);
  });

  it("keeps a topic that is read longer than any connection lives", async () => {
    const { epoch } = (await publish(party, { payloads: ["a"] })).place;
    await party.clock.advance(23 * HOUR_MS);
    expect(await place(party)).toEqual({ epoch, seq: 1 });
    await party.clock.advance(3 * HOUR_MS);
    expect(await place(party)).toEqual({ epoch, seq: 1 });
    expect(await publish(party, { payloads: ["b"] })).toMatchObject({ place: { epoch, seq: 2 } });
  });

  it("recovers nothing where rows were deleted", async () => {
    const { epoch } = (await publish(party, { payloads: [1] })).place;
    await publish(party, { payloads: [2] });
    await party.clock.advance(23 * HOUR_MS);
    await place(party);
    await party.clock.advance(3 * HOUR_MS);
    for (const payload of [3, 4]) await publish(party, { payloads: [payload] });
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
    for (const payload of payloads) await publish(party, { payloads: [payload] });
    const { epoch } = await place(party);
    const read: Json[] = [];
    for (let more = true; more; ) {
      const page = await party.log.readSince(
        DEFAULT_APP,
        topic,
        { epoch, seq: read.length },
        { limit: 1_000, retention: RETENTION },
      );
      if (!page.recovered) throw new Error("The history is not there.");
      read.push(...page.messages.map(({ payload }) => payload));
      expect(page.messages.length).toBeLessThanOrEqual(5);
      more = page.more;
    }
    expect(read).toEqual(payloads);
  });

  it("ends the page where a batch of messages goes past the limit", async () => {
    const { epoch } = (await publish(party, { payloads: [1, 2, 3, 4] })).place;
    await publish(party, { payloads: [5, 6] });
    const page = await party.log.readSince(DEFAULT_APP, topic, { epoch, seq: 2 }, { limit: 3, retention: RETENTION });
    expect(page).toMatchObject({ more: true, messages: [{ seq: 3 }, { seq: 4 }, { seq: 5 }] });
  });
});
