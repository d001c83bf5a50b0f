import { beforeEach, describe, expect, it } from "@jest/globals";
import { aConnectionId, aTopic, type TestClock, testClock } from "@topicast/testing";
import { createMovingTopicLog } from "../src/drivers/moving/topic-log.ts";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { MovedError } from "../src/errors.ts";
import { DEFAULT_APP, type TopicLog } from "../src/index.ts";
import type { MovableTopicLog } from "../src/ports/topic-mover.ts";

const topic = aTopic();
const RETENTION = { maxMessages: 1_000, maxAgeMs: 120_000 };
const PAGE = { limit: 100, retention: RETENTION };

let clock: TestClock;
let one: MovableTopicLog;
let two: MovableTopicLog;
/** Logs of processes in the two steps in between. */
let inOne: TopicLog;
let inTwo: TopicLog;

beforeEach(() => {
  clock = testClock();
  one = createMemoryTopicLog({ clock });
  two = createMemoryTopicLog({ clock });
  inOne = createMovingTopicLog({ stores: [one, two], owner: 0, clock, holdMs: 60_000 });
  inTwo = createMovingTopicLog({ stores: [one, two], owner: 1, clock, holdMs: 60_000 });
});

function publish(log: TopicLog, payload: string, options: { key?: string; except?: string } = {}) {
  const key = options.key === undefined ? {} : { key: { sender: "alice", value: options.key } };
  return log.append(DEFAULT_APP, topic, { payloads: [payload], time: clock.now(), ...key }, RETENTION);
}

async function payloadsSince(log: TopicLog, since: { epoch: string; seq: number }) {
  const page = await log.readSince(DEFAULT_APP, topic, since, PAGE);
  return page.recovered ? page.messages.map(({ seq, payload }) => `${seq}:${payload}`) : "not recovered";
}

describe("a topic that goes to another store", () => {
  it("goes on with its number, its history and its keys", async () => {
    const { place } = await publish(one, "a", { key: "k" });
    await publish(one, "b");
    expect((await publish(inTwo, "c")).place).toEqual({ ...place, seq: 3 });
    expect((await publish(inTwo, "again", { key: "k" })).place).toEqual(place);
    const since = { ...place, seq: 0 };
    expect(await payloadsSince(inOne, since)).toEqual(["1:a", "2:b"]);
    expect(await payloadsSince(inOne, { ...place, seq: 2 })).toEqual(["3:c"]);
    const { messages } = await inTwo.readLatest(DEFAULT_APP, topic, PAGE);
    expect(messages.map(({ payload }) => payload)).toEqual(["a", "b", "c"]);
    expect(await inTwo.newest(DEFAULT_APP, [topic])).toEqual([{ ...place, seq: 3 }]);
  });

  it("is followed by who would have it in the old store, until it was long enough in the new one", async () => {
    const { place } = await publish(one, "a");
    await publish(inTwo, "b");
    await publish(inOne, "c");
    expect((await two.look(DEFAULT_APP, topic))?.last.seq).toBe(3);
    await clock.advance(60_000);
    expect((await publish(inOne, "d")).place).toEqual({ ...place, seq: 4 });
    expect((await one.look(DEFAULT_APP, topic))?.last.seq).toBe(4);
    expect((await publish(one, "e")).place).toEqual({ ...place, seq: 5 });
  });

  it("answers nobody any more in the old store", async () => {
    await publish(one, "a");
    await publish(inTwo, "b");
    await expect(publish(one, "c")).rejects.toThrow(MovedError);
    await expect(one.place(DEFAULT_APP, topic)).rejects.toThrow(MovedError);
    await expect(payloadsSince(one, { epoch: "any", seq: 0 })).rejects.toThrow(MovedError);
    expect(await one.newest(DEFAULT_APP, [topic])).toEqual([undefined]);
  });

  it("recovers nobody from before it came, where only the new store is known", async () => {
    const { place } = await publish(one, "a");
    await publish(one, "b");
    await publish(inTwo, "c");
    expect(await payloadsSince(two, place)).toBe("not recovered");
    expect(await payloadsSince(two, { ...place, seq: 2 })).toEqual(["3:c"]);
  });

  it("is the one that was used, where another process began it in the store that it knows", async () => {
    await publish(one, "old");
    await clock.advance(3 * 3_600_000);
    const { place } = await publish(two, "new");
    expect((await publish(inTwo, "next")).place).toEqual({ ...place, seq: 2 });
    expect((await publish(inOne, "next")).place).toEqual({ ...place, seq: 3 });
  });

  it("begins another epoch where the new store lost it", async () => {
    const { place } = await publish(one, "a");
    await publish(inTwo, "b");
    const empty = createMemoryTopicLog({ clock });
    const log = createMovingTopicLog({ stores: [one, empty], owner: 1, clock });
    const later = await publish(log, "c");
    expect(later.place.epoch).not.toBe(place.epoch);
    expect(await payloadsSince(log, { ...place, seq: 2 })).toBe("not recovered");
  });

  it("is deleted where it is", async () => {
    const { place } = await publish(one, "a");
    await publish(inTwo, "b");
    await inOne.restart(DEFAULT_APP, topic);
    expect(await payloadsSince(inTwo, place)).toBe("not recovered");
    expect((await publish(inTwo, "c")).place.seq).toBe(1);
  });
});

describe("a tick", () => {
  const wakeUp = { id: "w1", dueAt: 0 };
  const except = aConnectionId();

  it("takes what was published before the topic went, and what came after", async () => {
    const batch = (payload: string) => ({ payloads: [payload], time: clock.now(), tick: { wakeUp, except } });
    const first = await one.append(DEFAULT_APP, topic, batch("a"), RETENTION);
    const second = await inTwo.append(
      DEFAULT_APP,
      topic,
      { ...batch("b"), tick: { wakeUp: { ...wakeUp, id: "w2" } } },
      RETENTION,
    );
    expect(second.ticking).toEqual(first.ticking);
    const from = { ...first.place, seq: 0 };
    const page = await inTwo.readTick(DEFAULT_APP, topic, from);
    expect(page?.numbered.map(({ message, except }) => [message.payload, except])).toEqual([
      ["a", except],
      ["b", undefined],
    ]);
    if (page === undefined) throw new Error("There is no page.");
    const next = { id: "w3", dueAt: 50, isSent: true };
    expect(await inTwo.claimTick(DEFAULT_APP, topic, page, next)).toBe(true);
    expect(await inOne.claimTick(DEFAULT_APP, topic, page, next)).toBe(false);
    expect(await inOne.ticking(DEFAULT_APP, topic)).toEqual({ place: page.upTo, wakeUp: next });
    // Whose job died after it took it finds all of it again.
    const again = await inOne.readTick(DEFAULT_APP, topic, from);
    expect(again?.numbered).toEqual(page.numbered);
    const rest = await inOne.readTick(DEFAULT_APP, topic, page.upTo);
    expect(rest && (await inOne.endTicks(DEFAULT_APP, topic, rest))).toBe(true);
  });
});
