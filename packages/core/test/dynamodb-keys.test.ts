import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { aTopic, meterCapacity } from "@topicast/testing";
import { DEFAULT_APP, KEY_LIFE_MS, VOID_AFTER_MS } from "../src/index.ts";
import { killAfter } from "./dynamodb-calls.ts";
import { aParty, history, messagesSince, type Party, place, publish, publishHeld, topic } from "./dynamodb-party.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";

/** Some make hundreds of calls: seconds, where the machine is busy. */
jest.setTimeout(20_000);

let server: DynamoDbServer;
let party: Party;

beforeEach(async () => {
  server = await startDynamoDb();
  party = aParty(server);
});

afterEach(() => server.close());

function doomed(calls: number): Party {
  const one = aParty(server);
  killAfter(one.client, calls);
  return one;
}

describe("a publisher that dies between any two calls, and its retry, publish once", () => {
  /** Of a new key: the key's row, the numbers, the key, the message. */
  const FIRST_CALLS = [0, 1, 2, 3, 4];
  /** Of a repeat that takes over: the key's row, the message's, a void, the numbers, the key, the message. */
  const SECOND_CALLS = [0, 1, 2, 3, 4, 5, 6];

  it.each(FIRST_CALLS)("where the first died after %i calls, and the second after any", async (firstCalls) => {
    for (const secondCalls of SECOND_CALLS) {
      const to = aTopic(`room/${firstCalls}/${secondCalls}`);
      const batch = { payloads: ["a", "b"], key: "k", to };
      const answers = await Promise.allSettled([publish(doomed(firstCalls), batch)]);
      answers.push(...(await Promise.allSettled([publish(doomed(secondCalls), batch)])));
      const answer = await publish(party, { ...batch, payloads: ["other", "than", "first"] });
      for (const earlier of answers) if (earlier.status === "fulfilled") expect(earlier.value).toEqual(answer);
      expect(await publish(aParty(server), batch)).toEqual(answer);

      await publish(party, { payloads: ["after"], to });
      const reader = aParty(server);
      await reader.clock.advance(VOID_AFTER_MS);
      const { epoch } = await reader.log.place(DEFAULT_APP, to);
      expect(answer.place).toEqual({ epoch, seq: answer.messages.at(-1)?.seq });
      const messages = await messagesSince(reader, { epoch, seq: 0 }, 2, to);
      expect(messages.slice(0, -1)).toEqual(answer.messages);
      expect(messages.at(-1)).toMatchObject({ payload: "after" });
    }
  });
});

describe("publishers of the same key beside each other", () => {
  it.each(["key", "write"] as const)("agree where the first is held before the %s", async (before) => {
    const first = await publishHeld(party, { payloads: ["first"], key: "k" }, before);
    const second = await publish(aParty(server), { payloads: ["second"], key: "k" });
    first.release();
    expect(await first.published).toEqual(second);
    expect(await history(party)).toEqual(["second"]);
  });

  it("agree where the second is held before it takes the key over, and the first goes on", async () => {
    const first = await publishHeld(party, { payloads: ["first"], key: "k" });
    const second = await publishHeld(aParty(server), { payloads: ["second"], key: "k" }, "key");
    first.release();
    const answer = await first.published;
    second.release();
    expect(await second.published).toEqual(answer);
    expect(await history(party)).toEqual(["first"]);
  });

  it("agree where a reader made the first's numbers void", async () => {
    const reader = aParty(server);
    const first = await publishHeld(party, { payloads: ["a", "b"], key: "k" });
    await reader.clock.advance(VOID_AFTER_MS);
    expect(await place(reader)).toMatchObject({ seq: 2 });
    first.release();
    const answer = await first.published;
    expect(answer.messages).toMatchObject([
      { seq: 3, key: "k" },
      { seq: 4, key: "k" },
    ]);
    expect(await publish(reader, { payloads: ["c"], key: "k" })).toEqual(answer);
    expect(await history(reader)).toEqual(["a", "b"]);
  });

  it("leave no numbers empty that they don't use", async () => {
    const first = await publishHeld(party, { payloads: ["a", "b", "c"], key: "k" });
    const { messages } = await publish(aParty(server), { payloads: ["d"], key: "k" });
    expect(messages).toMatchObject([{ seq: 4 }]);
    // No time has gone by: the numbers are void because it is known that nobody writes there.
    expect(await place(party)).toMatchObject({ seq: 4 });
    first.release();
    await first.published;
    const { epoch } = await place(party);
    for (const seq of [0, 1, 2, 3]) expect(await messagesSince(party, { epoch, seq }, 1)).toMatchObject([{ seq: 4 }]);
  });

  it("settle where a reader made some of a batch's numbers void, and its publisher all", async () => {
    const reader = aParty(server);
    const late = await publishHeld(party, { payloads: ["a", "b", "c"], key: "k" }, "key");
    killAfter(reader.client, 4);
    await reader.clock.advance(VOID_AFTER_MS);
    // The topic, its rows, and two of three numbers.
    await expect(place(reader)).rejects.toThrow("killed");
    const { messages } = await publish(aParty(server), { payloads: ["d"], key: "k" });
    late.release();
    expect((await late.published).messages).toEqual(messages);
    expect(await place(party)).toMatchObject({ seq: 4 });
    expect(await history(party)).toEqual(["d"]);
  });

  it("leave numbers void that were made void together, where a reader is about to make them so one by one", async () => {
    await publishHeld(party, { payloads: ["a", "b", "c"], key: "k" });
    const reader = aParty(server);
    await reader.clock.advance(VOID_AFTER_MS);
    // The topic, its rows, and one void.
    killAfter(reader.client, 3);
    reader.client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === "PutItemCommand") await publish(aParty(server), { payloads: ["d"], key: "k" });
          return next(args);
        },
      { step: "initialize", name: "letARepeatGoFirst" },
    );
    await expect(place(reader)).rejects.toThrow("killed");
    expect(await place(party)).toMatchObject({ seq: 4 });
  });

  it("are few writes: who loses takes numbers, is refused the key, and makes the numbers void", async () => {
    const meter = meterCapacity(party.client);
    const late = party.holdNextKey();
    let published: Promise<unknown> = Promise.resolve();
    const units = await meter.measure(async () => {
      published = publish(party, { payloads: ["late"], key: "k" });
      await late.held;
      await publish(aParty(server), { payloads: ["first"], key: "k" });
      late.release();
      await published;
    });
    expect(units.write).toBe(3);
    expect(units.read).toBeLessThanOrEqual(3.5);
  });
});

describe("a publisher that stood still", () => {
  it("for longer than readers wait publishes again, and has one answer", async () => {
    const reader = aParty(server);
    const late = await publishHeld(party, { payloads: ["late"], key: "k" });
    for (const { clock } of [party, reader]) await clock.advance(11_000);
    const { epoch, seq } = await place(reader);
    expect(seq).toBe(1);
    late.release();
    const answer = await late.published;
    expect(answer.place).toEqual({ epoch, seq: 2 });
    expect(await publish(reader, { payloads: ["again"], key: "k" })).toEqual(answer);
    expect(await messagesSince(reader, { epoch, seq: 0 })).toEqual(answer.messages);
  });

  it("before it wrote takes new numbers, and so does its key", async () => {
    const late = await publishHeld(party, { payloads: ["late"], key: "k" }, "key");
    await party.clock.advance(VOID_AFTER_MS);
    late.release();
    const answer = await late.published;
    expect(answer.place.seq).toBe(2);
    expect(await publish(aParty(server), { payloads: ["again"], key: "k" })).toEqual(answer);
    expect(await history(party)).toEqual(["late"]);
  });
});

describe("keys", () => {
  it("are remembered for five minutes, though TTL deletes up to two days late", async () => {
    const first = await publish(party, { payloads: ["a"], key: "k" });
    await party.clock.advance(KEY_LIFE_MS - 1);
    expect((await publish(party, { payloads: ["b"], key: "k" })).place).toEqual(first.place);
    await party.clock.advance(1);
    expect((await publish(party, { payloads: ["c"], key: "k" })).place.seq).toBe(2);
  });

  it("answer with no messages where the topic began again, and publish there what wasn't written before", async () => {
    const written = await publish(party, { payloads: ["a"], key: "written" });
    const held = await publishHeld(party, { payloads: ["b"], key: "held" });
    await party.log.restart(DEFAULT_APP, topic);
    expect(await publish(party, { payloads: ["a"], key: "written" })).toEqual({ place: written.place, messages: [] });
    const answer = await publish(aParty(server), { payloads: ["b"], key: "held" });
    expect(answer.place.epoch).not.toBe(written.place.epoch);
    held.release();
    expect(await held.published).toEqual(answer);
    expect(await history(party)).toEqual(["b"]);
  });
});
