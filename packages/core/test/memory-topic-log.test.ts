import { beforeEach, describe, expect, it } from "@jest/globals";
import type { Topic } from "@topicast/protocol";
import { aTopic, type TestClock, testClock } from "@topicast/testing";
import { createMemoryTopicLog, type MemoryTopicLogOptions } from "../src/drivers/topic-log/memory.ts";
import { DEFAULT_APP, KEY_LIFE_MS, type Retention, UnavailableError } from "../src/index.ts";

const HOUR = { maxMessages: 1_000, maxAgeMs: 3_600_000 };
const SECOND = { maxMessages: 1_000, maxAgeMs: 1_000 };
/** As JSON of 50 bytes. A message counts 200 more. */
const payload = "x".repeat(48);
const [a, b, c] = [aTopic("a"), aTopic("b"), aTopic("c")];

let clock: TestClock;

beforeEach(() => {
  clock = testClock();
});

function create(options: Omit<MemoryTopicLogOptions, "clock">) {
  const log = createMemoryTopicLog({ clock, ...options });
  return {
    log,
    append(topic: Topic, key?: string, retention: Retention = HOUR) {
      const batch = { payloads: [payload], time: clock.now() };
      const idempotencyKey = key === undefined ? {} : { key: { sender: "alice", value: key } };
      return log.append(DEFAULT_APP, topic, { ...batch, ...idempotencyKey }, retention);
    },
    claim: (key: string) => log.claim(DEFAULT_APP, a, { sender: "alice", value: key }),
    /** How many messages the topic has from its beginning; undefined where some are gone. */
    async countOf(topic: Topic) {
      const { epoch } = await log.place(DEFAULT_APP, topic);
      const page = await log.readSince(DEFAULT_APP, topic, { epoch, seq: 0 }, { limit: 100, retention: HOUR });
      return page.recovered ? page.messages.length : undefined;
    },
  };
}

describe("a memory log that holds too much", () => {
  it("drops the history that got nothing for longest", async () => {
    const { append, countOf } = create({ maxTotalBytes: 1_000 });
    for (const topic of [a, a, b, a]) await append(topic);
    expect([await countOf(a), await countOf(b)]).toEqual([3, 1]);
    await append(c);
    expect([await countOf(a), await countOf(b), await countOf(c)]).toEqual([3, undefined, 1]);
  });

  it("drops silent topics by their own age, and so keeps what another keeps for longer", async () => {
    const { append, countOf } = create({ maxTotalBytes: 750 });
    await append(a);
    await append(b, undefined, SECOND);
    await clock.advance(1_001);
    for (let i = 0; i < 5; i++) await append(c, undefined, { maxMessages: 1, maxAgeMs: 60_000 });
    await append(aTopic("d"));
    expect([await countOf(a), await countOf(b)]).toEqual([1, undefined]);
  });

  it("has room again for what a restart dropped", async () => {
    const { log, append, countOf } = create({ maxTotalBytes: 500 });
    await append(b);
    await append(a);
    await log.restart(DEFAULT_APP, a);
    await append(c);
    expect([await countOf(b), await countOf(c)]).toEqual([1, 1]);
  });

  it("drops the messages of keys before any history, and never the keys", async () => {
    const { append, countOf } = create({ maxTotalBytes: 1_000 });
    const first = await append(a, "k1");
    await append(b);
    await append(c);
    expect(await append(a, "k1")).toEqual(first);
    await append(c);
    expect([await countOf(a), await countOf(b), await countOf(c)]).toEqual([1, 1, 2]);
    // Only the history has its message now.
    expect(await append(a, "k1")).toEqual(first);
    await append(c);
    expect(await countOf(a)).toBeUndefined();
    expect(await append(a, "k1")).toEqual({ place: first.place, messages: [] });
  });

  it("counts what small messages take besides their payloads", async () => {
    const { log, countOf } = create({ maxTotalBytes: 10_000 });
    const retention = { maxMessages: 100, maxAgeMs: 60_000 };
    for (const topic of [a, b]) {
      const payloads = Array.from({ length: 40 }, () => 0);
      await log.append(DEFAULT_APP, topic, { payloads, time: clock.now() }, retention);
    }
    expect([await countOf(a), await countOf(b)]).toEqual([undefined, 40]);
  });

  it("takes as much as it held once keys have expired", async () => {
    const { append, countOf } = create({ maxTotalBytes: 750 });
    await append(a, "k1");
    await clock.advance(KEY_LIFE_MS + 1);
    await append(a);
    await append(a);
    expect(await countOf(a)).toBe(3);
  });
});

describe("a memory log that remembers too many", () => {
  it("refuses new keys, takes no number for them, and answers those that it knows", async () => {
    const { log, append, claim } = create({ maxKeys: 2 });
    const first = await append(a, "k1");
    expect(await claim("k1")).toBe(true);
    await expect(append(a, "k2")).rejects.toBeInstanceOf(UnavailableError);
    await expect(claim("k2")).rejects.toBeInstanceOf(UnavailableError);
    expect(await append(a, "k1")).toEqual(first);
    expect(await claim("k1")).toBe(false);
    await append(a);
    expect(await log.newest(DEFAULT_APP, [a])).toMatchObject([{ seq: 2 }]);
    await clock.advance(KEY_LIFE_MS + 1);
    expect((await append(a, "k2")).place.seq).toBe(3);
    expect(await claim("k2")).toBe(true);
  });

  it("forgets the topic that was still for longest, with its epoch", async () => {
    const { log, append } = create({ maxTopics: 2 });
    const first = await append(a, "k1");
    await append(b);
    await append(c);
    expect(await log.newest(DEFAULT_APP, [a, b, c])).toMatchObject([undefined, { seq: 1 }, { seq: 1 }]);
    expect(await append(a, "k1")).toEqual({ place: first.place, messages: [] });
    expect((await log.place(DEFAULT_APP, a)).epoch).not.toBe(first.place.epoch);
  });

  it("forgets topics to which nothing was published first", async () => {
    const { log, append, countOf } = create({ maxTopics: 4 });
    await append(a);
    await append(b);
    const place = (topic: Topic) => log.place(DEFAULT_APP, topic);
    const { epoch } = await place(c);
    for (let i = 0; i < 20; i++) {
      expect(await place(aTopic(`made-up/${i}`))).toMatchObject({ seq: 0 });
      expect(await place(c)).toEqual({ epoch, seq: 0 });
    }
    await append(c);
    for (let i = 0; i < 20; i++) await place(aTopic(`made-up/${i}`));
    expect([await countOf(a), await countOf(b), await countOf(c)]).toEqual([1, 1, 1]);
  });

  it("has a new topic where something was published to all others", async () => {
    const { log, append } = create({ maxTopics: 2 });
    await append(a);
    await append(b);
    const { epoch } = await log.place(DEFAULT_APP, c);
    expect((await append(c)).place).toEqual({ epoch, seq: 1 });
    expect(await log.newest(DEFAULT_APP, [a, b, c])).toMatchObject([undefined, { seq: 1 }, { seq: 1 }]);
  });

  it("forgets topics that nobody used for a time", async () => {
    const { log, append } = create({ maxIdleMs: 10_000 });
    await append(a);
    await clock.advance(6_000);
    await append(b);
    await clock.advance(6_000);
    await append(c);
    expect(await log.newest(DEFAULT_APP, [a, b, c])).toMatchObject([undefined, { seq: 1 }, { seq: 1 }]);
  });
});
