import { expect, it } from "@jest/globals";
import { DEFAULT_APP, type IdempotencyKey, KEY_LIFE_MS } from "@topicast/core";
import { anApp, aTopic } from "./factories.ts";
import { HOSTILE_NAMES } from "./hostile.ts";
import {
  type AppendOptions,
  append,
  historySince,
  payloadsOf,
  range,
  type TopicLogHarness,
  wholeHistory,
} from "./log-steps.ts";

const topic = aTopic();
const key: IdempotencyKey = { sender: "alice", value: "k1" };

export function describeKeys(harness: () => TopicLogHarness): void {
  describeAnswers(harness);
  describeOtherKeys(harness);
  describeLife(harness);
  describeClaims(harness);
}

function describeAnswers(harness: () => TopicLogHarness): void {
  it("gives a repeat the first answer and writes once", async () => {
    await append(harness(), topic, ["before"]);
    const first = await append(harness(), topic, ["a", "b"], { key });
    await append(harness(), topic, ["after"]);
    expect(await append(harness(), topic, ["a", "b"], { key })).toEqual(first);
    expect(payloadsOf((await wholeHistory(harness(), topic)).messages)).toEqual(["before", "a", "b", "after"]);
    expect(await harness().log.newest(DEFAULT_APP, [topic])).toMatchObject([{ seq: 4 }]);
  });

  it.each([
    ["another payload", ["c", "d"]],
    ["fewer payloads", ["a"]],
    ["more payloads", ["a", "b", "c"]],
  ])("gives a repeat with %s the first answer", async (_, payloads) => {
    const first = await append(harness(), topic, ["a", "b"], { key });
    expect(await append(harness(), topic, payloads, { key })).toEqual(first);
    expect((await wholeHistory(harness(), topic)).messages).toEqual(first.messages);
  });

  it("gives each message of a batch its key, in the answer and in the history", async () => {
    const { messages } = await append(harness(), topic, ["a", "b"], { key });
    expect(messages).toMatchObject([{ key: "k1" }, { key: "k1" }]);
    expect((await wholeHistory(harness(), topic)).messages).toStrictEqual(messages);
    expect((await append(harness(), topic, ["a", "b"], { key })).messages).toStrictEqual(messages);
  });

  it.each([2, 4])("answers %i that come side by side as one", async (count) => {
    const all = await Promise.all(range(1, count).map((i) => append(harness(), topic, range(1, i), { key })));
    for (const each of all) expect(each).toEqual(all[0]);
    const history = await wholeHistory(harness(), topic);
    expect(history.messages).toEqual(all[0]?.messages);
    // Who lost left no number empty that readers would have to wait for.
    expect(await harness().log.newest(DEFAULT_APP, [topic])).toEqual([history.place]);
  });

  it("has what to deliver for a repeat that comes when history has none of it", async () => {
    const retention = { maxMessages: 1, maxAgeMs: 1_000 };
    const first = await append(harness(), topic, ["a", "b"], { key, retention });
    for (const i of range(1, 10)) await append(harness(), topic, [i], { retention });
    await harness().clock.advance(2_000);
    expect(await append(harness(), topic, ["a", "b"], { key, retention })).toEqual(first);
    const since = { epoch: first.place.epoch, seq: 0 };
    expect(await historySince(harness(), topic, since, { retention })).toMatchObject({ recovered: false });
  });

  it("has what to deliver for a repeat in a topic without history", async () => {
    const retention = { maxMessages: 0, maxAgeMs: 0 };
    const first = await append(harness(), topic, ["a"], { key, retention });
    expect(first.messages).toMatchObject([{ payload: "a" }]);
    expect(await append(harness(), topic, ["a"], { key, retention })).toEqual(first);
  });
}

function describeOtherKeys(harness: () => TopicLogHarness): void {
  it.each<readonly [string, AppendOptions & { readonly to?: typeof topic }]>([
    ["another key", { key: { ...key, value: "k2" } }],
    ["another sender", { key: { ...key, sender: "bob" } }],
    ["another application", { key, app: anApp("other") }],
    ["another topic", { key, to: aTopic("b") }],
    ["no key", {}],
  ])("mixes a key up with that of %s in no append", async (_, { to = topic, ...options }) => {
    const first = await append(harness(), topic, ["a"], { key });
    const other = await append(harness(), to, ["b"], options);
    expect(payloadsOf(other.messages)).toEqual(["b"]);
    expect(await append(harness(), topic, ["again"], { key })).toEqual(first);
    if (options.key !== undefined) expect(await append(harness(), to, ["again"], options)).toEqual(other);
  });

  it("mixes no keys up, whatever they and their senders are called", async () => {
    const names = HOSTILE_NAMES.slice(0, 8);
    const pairs = names.flatMap((sender) => names.map((value) => ({ sender, value })));
    pairs.push({ sender: "a", value: "b/c" }, { sender: "a/b", value: "c" }, { sender: "a\0b", value: "c" });
    const firsts = [];
    for (const pair of pairs)
      firsts.push(await append(harness(), topic, [`${pair.sender} ${pair.value}`], { key: pair }));
    expect(new Set(firsts.map(({ place }) => place.seq)).size).toBe(pairs.length);
    for (const [i, pair] of pairs.entries()) {
      expect(await append(harness(), topic, ["again"], { key: pair })).toEqual(firsts[i]);
    }
  });
}

function describeLife(harness: () => TopicLogHarness): void {
  it("remembers a key for its life, and counts that from the first append", async () => {
    const first = await append(harness(), topic, ["a"], { key });
    for (const waitMs of [KEY_LIFE_MS - 60_000, 59_999]) {
      await harness().clock.advance(waitMs);
      expect(await append(harness(), topic, ["repeat"], { key })).toEqual(first);
    }
    await harness().clock.advance(2);
    const second = await append(harness(), topic, ["new"], { key });
    expect(second).toMatchObject({ place: { seq: 2 }, messages: [{ payload: "new" }] });
    expect(await append(harness(), topic, ["repeat"], { key })).toEqual(second);
  });
}

function describeClaims(harness: () => TopicLogHarness): void {
  it("remembers a key that is claimed, for its life", async () => {
    const { log, clock } = harness();
    expect(await log.claim(DEFAULT_APP, topic, key)).toBe(true);
    expect(await log.claim(DEFAULT_APP, topic, key)).toBe(false);
    await clock.advance(KEY_LIFE_MS - 1);
    expect(await log.claim(DEFAULT_APP, topic, key)).toBe(false);
    await clock.advance(2);
    expect(await log.claim(DEFAULT_APP, topic, key)).toBe(true);
    expect(await log.claim(DEFAULT_APP, topic, key)).toBe(false);
  });

  it("lets one of several have a key that claim it at once", async () => {
    const claims = await Promise.all(range(1, 5).map(() => harness().log.claim(DEFAULT_APP, topic, key)));
    expect(claims.filter((isFirst) => isFirst)).toHaveLength(1);
  });

  it("keeps claims of other keys, senders, topics and applications apart", async () => {
    const { log } = harness();
    await log.claim(DEFAULT_APP, topic, key);
    expect(await log.claim(DEFAULT_APP, topic, { ...key, value: "k2" })).toBe(true);
    expect(await log.claim(DEFAULT_APP, topic, { ...key, sender: "bob" })).toBe(true);
    expect(await log.claim(DEFAULT_APP, aTopic("b"), key)).toBe(true);
    expect(await log.claim(anApp("other"), topic, key)).toBe(true);
  });

  it("keeps claims apart from the keys of appends, and begins no topic", async () => {
    const { log } = harness();
    expect(await log.claim(DEFAULT_APP, topic, key)).toBe(true);
    expect(await log.newest(DEFAULT_APP, [topic])).toEqual([undefined]);
    const first = await append(harness(), topic, ["a"], { key });
    expect(payloadsOf(first.messages)).toEqual(["a"]);
    expect(await log.claim(DEFAULT_APP, topic, key)).toBe(false);
    const other = { ...key, value: "k2" };
    await append(harness(), topic, ["b"], { key: other });
    expect(await log.claim(DEFAULT_APP, topic, other)).toBe(true);
  });
}
