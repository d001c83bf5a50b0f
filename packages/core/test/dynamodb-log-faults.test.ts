import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { aTopic } from "@topicast/testing";
import { createDynamoDbTopicLog } from "../src/drivers/dynamodb.ts";
import { DEFAULT_APP, systemClock, VOID_AFTER_MS } from "../src/index.ts";
import { breakDown, during, leaveUnprocessed, loseAnswer, onlyAfter, throttle, times } from "./dynamodb-faults.ts";
import { aParty, history, type Party, place, publish, publishHeld, RETENTION, topic } from "./dynamodb-party.ts";
import { type DynamoDbServer, type Fault, startDynamoDb } from "./dynamodb-server.ts";

/** The SDK's waits between attempts add up to some seconds. */
jest.setTimeout(20_000);

const UNAVAILABLE = { name: "UnavailableError", part: "store" };

let server: DynamoDbServer;
let party: Party;

beforeEach(async () => {
  server = await startDynamoDb();
  party = aParty(server);
});

afterEach(() => server.close());

describe("a publish meets a fault", () => {
  it("and writes its message once where only answers are lost", async () => {
    const { messages } = await during(server, "PutItem", times(1, loseAnswer), () =>
      publish(party, { payloads: ["once"] }),
    );
    expect(messages).toMatchObject([{ seq: 1 }]);
    expect(await history(party)).toEqual(["once"]);
  });

  it("and fails where all answers are lost: the message may be there", async () => {
    await expect(
      during(server, "PutItem", loseAnswer, () => publish(party, { payloads: ["perhaps"] })),
    ).rejects.toMatchObject(UNAVAILABLE);
    await publish(party, { payloads: ["after"] });
    expect(await history(party)).toEqual(["perhaps", "after"]);
  });

  it("and leaves a number that becomes void where the answer with the number was lost", async () => {
    const { place: at, messages } = await during(server, "UpdateItem", times(1, loseAnswer), () =>
      publish(party, { payloads: ["second"] }),
    );
    expect(messages).toMatchObject([{ seq: 2 }]);
    expect(await place(party)).toEqual({ ...at, seq: 0 });
    await party.clock.advance(VOID_AFTER_MS);
    expect(await place(party)).toEqual({ ...at, seq: 2 });
    expect(await history(party)).toEqual(["second"]);
  });

  it("and loses nothing that was acknowledged where writes fail in between", async () => {
    await publish(party, { payloads: ["before"] });
    await expect(
      during(server, "PutItem", throttle, () => publish(party, { payloads: ["failed"] })),
    ).rejects.toMatchObject(UNAVAILABLE);
    expect((await publish(party, { payloads: ["after"] })).messages).toMatchObject([{ seq: 3 }]);
    await party.clock.advance(VOID_AFTER_MS);
    expect(await history(party)).toEqual(["before", "after"]);
  });

  it("and keeps what was acknowledged where a reader could not make a number void", async () => {
    await expect(
      during(server, "PutItem", throttle, () => publish(party, { payloads: ["failed"] })),
    ).rejects.toMatchObject(UNAVAILABLE);
    await publish(party, { payloads: ["after"] });
    await party.clock.advance(VOID_AFTER_MS);
    const read = () => place(party);
    await expect(during(server, "PutItem", breakDown, read)).rejects.toMatchObject(UNAVAILABLE);
    expect(await history(party)).toEqual(["after"]);
  });
});

describe("a publish with a key meets a fault", () => {
  const batch = { payloads: ["once"], key: "k" };

  it.each([
    ["its key's first read", "GetItem", 0, 1],
    ["its numbers", "UpdateItem", 0, 2],
    ["its key", "PutItem", 0, 1],
    ["its message", "PutItem", 1, 1],
  ] as const)("and publishes once where the answer to %s is lost", async (_, operation, calls, seq) => {
    const answer = await during(server, operation, onlyAfter(calls, loseAnswer), () => publish(party, batch));
    expect(answer.messages).toEqual([{ seq, payload: "once", time: party.clock.now(), key: "k" }]);
    expect(await publish(party, batch)).toEqual(answer);
    await party.clock.advance(VOID_AFTER_MS);
    expect(await history(party)).toEqual(["once"]);
  });

  it.each([
    ["its key's first read", 0],
    ["the message that it is about", 1],
    ["its numbers", 0],
    ["the void of the numbers before", 0],
    ["its key, that it takes over", 1],
    ["its message", 2],
  ] as const)("and takes over from a dead one where the answer to %s is lost", async (step, calls) => {
    await publishHeld(aParty(server), { payloads: ["dead", "dead"], key: "k" });
    const read = step.includes("read") || step.startsWith("the message");
    const operation = read ? "GetItem" : step === "its numbers" ? "UpdateItem" : "PutItem";
    const answer = await during(server, operation, onlyAfter(calls, loseAnswer), () => publish(party, batch));
    expect(await publish(party, batch)).toEqual(answer);
    await party.clock.advance(VOID_AFTER_MS);
    expect(await history(party)).toEqual(["once"]);
  });

  const OPERATIONS = ["GetItem", "UpdateItem", "PutItem"];
  const FAULTS = { throttles: throttle, "breaks down at": breakDown, "loses the answers of": loseAnswer };

  it.each(
    OPERATIONS.flatMap((operation) => Object.entries(FAULTS).map((fault) => [fault[0], operation, fault[1]] as const)),
  )("and is unavailable where DynamoDB %s %s, and is repeated once", async (_, operation, fault) => {
    const failed = during(server, operation, fault, () => publish(party, batch));
    await expect(failed).rejects.toMatchObject(UNAVAILABLE);
    const answer = await publish(party, batch);
    expect(await publish(party, batch)).toEqual(answer);
    await party.clock.advance(VOID_AFTER_MS);
    expect(await history(party)).toEqual(["once"]);
  });

  it("and is unavailable where it can't make numbers void that it doesn't use, and is repeated once", async () => {
    const held = await publishHeld(party, batch, "key");
    const answer = await publish(aParty(server), batch);
    const failed = during(
      server,
      "PutItem",
      onlyAfter(1, (request, response, handle) => {
        // Three times, so that the SDK gives up.
        server.fail("PutItem", throttle);
        throttle(request, response, handle);
      }),
      async () => {
        held.release();
        await held.published;
      },
    );
    await expect(failed).rejects.toMatchObject(UNAVAILABLE);
    expect(await publish(party, batch)).toEqual(answer);
    await party.clock.advance(VOID_AFTER_MS);
    expect(await history(party)).toEqual(["once"]);
  });
});

describe("a read meets a fault", () => {
  it.each([
    ["throttles", throttle],
    ["breaks down at", breakDown],
    ["loses the answers of", loseAnswer],
  ])("and finds the place where DynamoDB %s the checkpoint for the next reader", async (_, fault) => {
    for (let i = 0; i < 10; i++) await publish(party, { payloads: [randomBytes(16_000).toString("base64url")] });
    let checkpoints = 0;
    const counted: Fault = (...args) => {
      checkpoints += 1;
      fault(...args);
    };
    expect(await during(server, "UpdateItem", counted, () => place(party))).toMatchObject({ seq: 10 });
    expect(checkpoints).toBeGreaterThan(0);
    expect(await place(party)).toMatchObject({ seq: 10 });
  });

  it("and finds the place where a topic can't be given a longer life", async () => {
    const { place: at } = await publish(party, { payloads: ["a"] });
    await party.clock.advance(23 * 3_600_000);
    expect(await during(server, "UpdateItem", throttle, () => place(party))).toEqual(at);
    await place(party);
    await party.clock.advance(3 * 3_600_000);
    expect(await place(party)).toEqual(at);
  });
});

describe("other calls meet a fault", () => {
  const key = { sender: "alice", value: "k" };

  it("and a claim whose answer was lost is its own", async () => {
    const claim = () => party.log.claim(DEFAULT_APP, topic, key);
    expect(await during(server, "PutItem", times(1, loseAnswer), claim)).toBe(true);
    expect(await claim()).toBe(false);
  });

  it("and a restart whose answer was lost begins one epoch, and no number comes twice", async () => {
    const before = await publish(party, { payloads: ["before"] });
    let after: ReturnType<typeof publish> | undefined;
    const stop = server.fail("UpdateItem", (request, response, handle) => {
      stop();
      loseAnswer(request, response, () => {
        const lose = response.end.bind(response) as () => void;
        // The publish comes between the restart and the SDK's second attempt at it.
        response.end = () => {
          after = publish(aParty(server), { payloads: ["after"] });
          void after.finally(lose);
          return response;
        };
        handle();
      });
    });
    await party.log.restart(DEFAULT_APP, topic);
    const { epoch, seq } = (await after)?.place ?? before.place;
    expect(epoch).not.toBe(before.place.epoch);
    expect(seq).toBe(1);
    expect((await publish(party, { payloads: ["later"] })).place).toEqual({ epoch, seq: 2 });
    expect(await history(party)).toEqual(["after", "later"]);
  });

  it("and the newest places are asked for again where DynamoDB left some, some times", async () => {
    const topics = [aTopic("a"), aTopic("b"), aTopic("a")];
    const { client, tableName } = server;
    const log = createDynamoDbTopicLog({ client, tableName, clock: systemClock });
    for (const to of topics) {
      await log.append(DEFAULT_APP, to, { payloads: ["a"], time: systemClock.now() }, RETENTION);
    }
    const newest = () => log.newest(DEFAULT_APP, topics);
    const places = await during(server, "BatchGetItem", times(2, leaveUnprocessed), newest);
    expect(places).toMatchObject([{ seq: 2 }, { seq: 1 }, { seq: 2 }]);
    await expect(during(server, "BatchGetItem", leaveUnprocessed, newest)).rejects.toMatchObject(UNAVAILABLE);
    expect(await log.newest(DEFAULT_APP, [])).toEqual([]);
  });
});
