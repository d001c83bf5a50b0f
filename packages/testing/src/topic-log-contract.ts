import { describe, expect, it } from "@jest/globals";
import { DEFAULT_APP } from "@topicast/core";
import { anApp, aTopic } from "./factories.ts";
import { useHarness } from "./harness.ts";
import { HOSTILE_PAYLOADS, HOSTILE_TOPICS } from "./hostile.ts";
import { describeEmptyBeginnings } from "./log-beginnings-contract.ts";
import { describeKeys } from "./log-keys-contract.ts";
import { describeLatest, describeLatestSettled } from "./log-latest-contract.ts";
import { describeNewestTaken, describeReading } from "./log-reading-contract.ts";
import { describeRepeats, describeRepeatsSettled } from "./log-repeats-contract.ts";
import { describeRestarting, describeRestartingMeanwhile } from "./log-restarting-contract.ts";
import { describeRetention, describeRetentionSettled } from "./log-retention-contract.ts";
import { describeSettling } from "./log-settling-contract.ts";
import {
  append,
  type CreateTopicLogHarness,
  DEFAULT_RETENTION,
  payloadsOf,
  range,
  readSince,
  seqsOf,
  type TopicLogHarness,
  wholeHistory,
} from "./log-steps.ts";
import { describeTickPages, describeTickPagesSettled } from "./log-tick-pages-contract.ts";
import { describeTicks } from "./log-ticks-contract.ts";

export interface TopicLogTraits {
  /** Whether an append is one step: then no number is ever taken and not written, and a harness holds an append before it has any. */
  readonly isAtomic?: boolean;
}

/** What every driver of `TopicLog` promises. Each call of `createHarness` begins with an empty log. */
export function describeTopicLogContract(
  name: string,
  createHarness: CreateTopicLogHarness,
  { isAtomic = false }: TopicLogTraits = {},
): void {
  describe(`${name} keeps the contract of TopicLog`, () => {
    const harness = useHarness(createHarness);
    describe("numbers", () => describeNumbers(harness));
    describe("messages", () => describeMessages(harness));
    describe("epochs", () => describeEpochs(harness, createHarness));
    describe("reading", () => describeReading(harness));
    describe("reading the newest", () => describeLatest(harness));
    describe("keys", () => describeKeys(harness));
    describe("repeats of an append that is late or dead", () => describeRepeats(harness));
    describe("restarting", () => describeRestarting(harness));
    describe("applications and topics", () => describeApartness(harness));
    describe("retention", () => describeRetention(harness));
    describe("ticks", () => describeTicks(harness));
    describe("what a tick reads", () => describeTickPages(harness));
    if (!isAtomic) describe("numbers that are taken and not written", () => describeTaken(harness));
  });
}

function describeTaken(harness: () => TopicLogHarness): void {
  describe("settled places", () => describeSettling(harness));
  describe("an epoch whose first numbers were never written", () => describeEmptyBeginnings(harness));
  describe("reading", () => {
    describeNewestTaken(harness);
    describeLatestSettled(harness);
  });
  describe("repeats of an append that is late or dead", () => describeRepeatsSettled(harness));
  describe("restarting", () => describeRestartingMeanwhile(harness));
  describe("retention", () => describeRetentionSettled(harness));
  describe("what a tick reads", () => describeTickPagesSettled(harness));
}

const topic = aTopic();

function describeNumbers(harness: () => TopicLogHarness): void {
  it("counts 1, 2, 3 in each topic", async () => {
    for (const seq of [1, 2, 3]) {
      expect(seqsOf((await append(harness(), topic, [seq])).messages)).toEqual([seq]);
      expect(seqsOf((await append(harness(), aTopic("b"), [seq])).messages)).toEqual([seq]);
    }
  });

  it("gives a batch numbers that follow one another, in its order", async () => {
    await append(harness(), topic, ["first"]);
    const { messages } = await append(harness(), topic, ["a", "b", "c"]);
    expect(messages.map(({ seq, payload }) => [seq, payload])).toEqual([
      [2, "a"],
      [3, "b"],
      [4, "c"],
    ]);
    expect(seqsOf((await append(harness(), topic, ["last"])).messages)).toEqual([5]);
  });

  it("takes a batch of 100, the most that a publish may bring", async () => {
    const { messages } = await append(harness(), topic, range(1, 100));
    expect(seqsOf(messages)).toEqual(range(1, 100));
    expect((await wholeHistory(harness(), topic)).messages).toEqual(messages);
  });

  it("shares no number and leaves none out where appends overlap", async () => {
    const batches = Array.from({ length: 40 }, (_, i) => range(1, 1 + (i % 3)).map((part) => `${i}.${part}`));
    const all = await Promise.all(batches.map((payloads) => append(harness(), topic, payloads)));
    for (const [i, { messages }] of all.entries()) {
      const first = messages[0]?.seq ?? Number.NaN;
      expect(seqsOf(messages)).toEqual(range(first, first + messages.length - 1));
      expect(payloadsOf(messages)).toEqual(batches[i]);
    }
    const inOrder = all.flatMap(({ messages }) => messages).sort((a, b) => a.seq - b.seq);
    expect(seqsOf(inOrder)).toEqual(range(1, batches.flat().length));
    expect((await wholeHistory(harness(), topic)).messages).toEqual(inOrder);
    expect(new Set(all.map(({ place }) => place.epoch)).size).toBe(1);
  });
}

function describeMessages(harness: () => TopicLogHarness): void {
  it("answers an append with what it wrote", async () => {
    const { log, clock } = harness();
    const time = clock.now() - 50;
    const batch = { payloads: [{ x: 1 }, 2], from: "böb", time };
    const { place, messages } = await log.append(DEFAULT_APP, topic, batch, DEFAULT_RETENTION);
    expect(messages).toEqual([
      { seq: 1, payload: { x: 1 }, from: "böb", time },
      { seq: 2, payload: 2, from: "böb", time },
    ]);
    expect(place.seq).toBe(2);
    expect(await wholeHistory(harness(), topic)).toEqual({ recovered: true, place, messages });
  });

  it("leaves `from` and `key` absent where there is none", async () => {
    const { log, clock } = harness();
    const { messages } = await log.append(DEFAULT_APP, topic, { payloads: [1], time: clock.now() }, DEFAULT_RETENTION);
    expect(messages).toStrictEqual([{ seq: 1, payload: 1, time: clock.now() }]);
    expect((await wholeHistory(harness(), topic)).messages).toStrictEqual(messages);
  });

  it("changes no payload", async () => {
    const { messages } = await append(harness(), topic, HOSTILE_PAYLOADS);
    expect(payloadsOf(messages)).toEqual(HOSTILE_PAYLOADS);
    const read = (await wholeHistory(harness(), topic)).messages;
    expect(payloadsOf(read)).toEqual(HOSTILE_PAYLOADS);
  });

  it("shows every read an append that was answered before", async () => {
    for (const seq of range(1, 10)) {
      const { messages } = await append(harness(), topic, [seq]);
      expect((await harness().log.place(DEFAULT_APP, topic)).seq).toBe(seq);
      expect((await wholeHistory(harness(), topic)).messages.at(-1)).toEqual(messages[0]);
    }
  });
}

function describeEpochs(harness: () => TopicLogHarness, createHarness: () => Promise<TopicLogHarness>): void {
  it("begins a new topic at 0 in an epoch that stays", async () => {
    const { log } = harness();
    const { epoch, seq } = await log.place(DEFAULT_APP, topic);
    expect(seq).toBe(0);
    expect(epoch).toMatch(/^\S+$/);
    expect(await log.place(DEFAULT_APP, topic)).toEqual({ epoch, seq: 0 });
    expect((await append(harness(), topic, ["a"])).place).toEqual({ epoch, seq: 1 });
    expect(await log.place(DEFAULT_APP, topic)).toEqual({ epoch, seq: 1 });
    expect((await wholeHistory(harness(), topic)).place).toEqual({ epoch, seq: 1 });
  });

  it("begins a topic once where its first calls overlap", async () => {
    const { log } = harness();
    const [place, appended, page, ...places] = await Promise.all([
      log.place(DEFAULT_APP, topic),
      append(harness(), topic, ["a"]),
      readSince(harness(), topic, { epoch: "none", seq: 0 }),
      log.place(DEFAULT_APP, topic),
      log.place(DEFAULT_APP, topic),
    ]);
    const epochs = [place.epoch, appended.place.epoch, page.place.epoch, ...places.map(({ epoch }) => epoch)];
    expect(new Set(epochs).size).toBe(1);
    expect(seqsOf(appended.messages)).toEqual([1]);
  });

  it("has another epoch in another life of the same topic", async () => {
    const other = await createHarness();
    try {
      const { place } = await append(harness(), topic, ["a"]);
      const later = await append(other, topic, ["a"]);
      expect(later.place.epoch).not.toBe(place.epoch);
      expect(await readSince(other, topic, place)).toMatchObject({ recovered: false });
    } finally {
      await other.close();
    }
  });
}

function describeApartness(harness: () => TopicLogHarness): void {
  it("keeps the same topic of two applications apart", async () => {
    const [one, two] = [anApp("one"), anApp("two")];
    await append(harness(), topic, ["of one", "of one"], { app: one });
    expect((await harness().log.place(two, topic)).seq).toBe(0);
    expect(seqsOf((await append(harness(), topic, ["of two"], { app: two })).messages)).toEqual([1]);
    expect((await wholeHistory(harness(), topic, one)).messages).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    expect((await wholeHistory(harness(), topic, two)).messages).toMatchObject([{ seq: 1, payload: "of two" }]);
  });

  it("mixes no topics up, whatever their names", async () => {
    await Promise.all(HOSTILE_TOPICS.map((each) => append(harness(), each, [`for ${each}`])));
    for (const each of HOSTILE_TOPICS) {
      const { messages } = await wholeHistory(harness(), each);
      expect(messages).toMatchObject([{ seq: 1, payload: `for ${each}` }]);
    }
  });
}
