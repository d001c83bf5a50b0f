import { expect, it } from "@jest/globals";
import { DEFAULT_APP } from "@topicast/core";
import { MAX_SERVER_FRAME_BYTES } from "@topicast/protocol";
import { anApp, aTopic } from "./factories.ts";
import {
  append,
  appendHeld,
  historySince,
  payloadsOf,
  range,
  readSince,
  seqsOf,
  type TopicLogHarness,
} from "./log-steps.ts";

const topic = aTopic();

export function describeReading(harness: () => TopicLogHarness): void {
  describePages(harness);
  describeUnrecovered(harness);
  describeNewest(harness);
}

function describePages(harness: () => TopicLogHarness): void {
  it("gives all after a place, oldest first, and nothing at the end", async () => {
    const { epoch } = (await append(harness(), topic, ["a", "b"])).place;
    await append(harness(), topic, ["c"]);
    for (const [since, seqs] of [
      [0, [1, 2, 3]],
      [1, [2, 3]],
      [2, [3]],
      [3, []],
    ] as const) {
      const page = await readSince(harness(), topic, { epoch, seq: since });
      expect(page).toMatchObject({ recovered: true, place: { epoch, seq: 3 }, more: false });
      expect(seqsOf(page.recovered ? page.messages : [])).toEqual(seqs);
    }
  });

  it.each([1, 2, 3, 7, 100])("gives each message once in pages of at most %i", async (limit) => {
    const { epoch } = (await append(harness(), topic, range(1, 5))).place;
    await append(harness(), topic, [6]);
    await append(harness(), topic, range(7, 9));
    const { messages, place } = await historySince(harness(), topic, { epoch, seq: 0 }, { limit });
    expect(payloadsOf(messages)).toEqual(range(1, 9));
    expect(seqsOf(messages)).toEqual(range(1, 9));
    expect(place).toEqual({ epoch, seq: 9 });
  });

  it("says that more follow only where they do, and how far the topic is in every page", async () => {
    const { epoch } = (await append(harness(), topic, range(1, 4))).place;
    const place = { epoch, seq: 4 };
    expect(await readSince(harness(), topic, { epoch, seq: 0 }, { limit: 3 })).toMatchObject({ more: true, place });
    expect(await readSince(harness(), topic, { epoch, seq: 0 }, { limit: 4 })).toMatchObject({ more: false, place });
    expect(await readSince(harness(), topic, { epoch, seq: 1 }, { limit: 3 })).toMatchObject({ more: false, place });
  });

  it("reads a history that is larger than a page of DynamoDB (1 MB)", async () => {
    const payload = "x".repeat(30_000);
    for (let i = 0; i < 50; i++) await append(harness(), topic, [payload]);
    const { epoch } = await harness().log.place(DEFAULT_APP, topic);
    const { messages } = await historySince(harness(), topic, { epoch, seq: 0 });
    expect(seqsOf(messages)).toEqual(range(1, 50));
  });

  it("gives pages of at most 128 KB of payloads, also in the middle of a batch", async () => {
    const payload = "é".repeat(15_000);
    const { epoch } = (await append(harness(), topic, [payload, payload, payload])).place;
    for (let i = 0; i < 5; i++) await append(harness(), topic, [payload]);
    const page = await readSince(harness(), topic, { epoch, seq: 1 });
    // Each has 30,002 bytes: five would be more.
    expect(page.recovered && seqsOf(page.messages)).toEqual([2, 3, 4, 5]);
    expect(page).toMatchObject({ more: true, place: { seq: 8 } });
    expect(seqsOf((await historySince(harness(), topic, { epoch, seq: 0 })).messages)).toEqual(range(1, 8));
  });

  it("gives a message that is larger than a page alone", async () => {
    const { epoch } = (await append(harness(), topic, ["small", "x".repeat(MAX_SERVER_FRAME_BYTES), "small"])).place;
    for (const [since, seqs] of [
      [0, [1]],
      [1, [2]],
      [2, [3]],
    ] as const) {
      const page = await readSince(harness(), topic, { epoch, seq: since });
      expect(page).toMatchObject({ recovered: true, more: since < 2 });
      expect(page.recovered && seqsOf(page.messages)).toEqual(seqs);
    }
  });

  it("begins a topic that is read before anything else", async () => {
    const { log } = harness();
    const page = await readSince(harness(), topic, { epoch: "none", seq: 0 });
    expect(page).toEqual({ recovered: false, place: { epoch: expect.stringMatching(/^\S+$/), seq: 0 } });
    expect(await log.place(DEFAULT_APP, topic)).toEqual(page.place);
    const again = await readSince(harness(), topic, page.place);
    expect(again).toEqual({ recovered: true, place: page.place, messages: [], more: false });
  });
}

function describeUnrecovered(harness: () => TopicLogHarness): void {
  it.each([0, 1, 2])("recovers nothing after place %i of another epoch", async (seq) => {
    const { epoch } = (await append(harness(), topic, ["a", "b"])).place;
    const page = await readSince(harness(), topic, { epoch: `${epoch}x`, seq });
    expect(page).toEqual({ recovered: false, place: { epoch, seq: 2 } });
  });

  it.each([3, 1_000_000, Number.MAX_SAFE_INTEGER])(
    "recovers nothing after place %i, ahead of the topic",
    async (seq) => {
      const { epoch } = (await append(harness(), topic, ["a", "b"])).place;
      const page = await readSince(harness(), topic, { epoch, seq });
      expect(page).toEqual({ recovered: false, place: { epoch, seq: 2 } });
    },
  );
}

function describeNewest(harness: () => TopicLogHarness): void {
  it("gives the last number taken of each topic, in the order asked for", async () => {
    const { epoch } = (await append(harness(), topic, ["a", "b"])).place;
    const other = await append(harness(), aTopic("b"), ["a"]);
    await append(harness(), topic, ["of another application"], { app: anApp("other") });
    expect(await harness().log.newest(DEFAULT_APP, [aTopic("b"), topic])).toEqual([other.place, { epoch, seq: 2 }]);
    expect(await harness().log.newest(anApp("other"), [topic])).toMatchObject([{ seq: 1 }]);
    expect(await harness().log.newest(DEFAULT_APP, [])).toEqual([]);
  });

  it("begins no topic that it is asked for", async () => {
    const { log } = harness();
    expect(await log.newest(DEFAULT_APP, [topic])).toEqual([undefined]);
    expect(await log.newest(DEFAULT_APP, [topic])).toEqual([undefined]);
    const place = await log.place(DEFAULT_APP, topic);
    expect(await log.newest(DEFAULT_APP, [topic])).toEqual([place]);
  });

  it("takes 50 topics, the most that a ping may bring", async () => {
    const topics = range(1, 50).map((i) => aTopic(`room/${i}`));
    const known = topics.filter((_, i) => i % 3 === 0);
    const places = new Map(
      await Promise.all(known.map(async (each) => [each, (await append(harness(), each, ["a"])).place] as const)),
    );
    expect(await harness().log.newest(DEFAULT_APP, topics)).toEqual(topics.map((each) => places.get(each)));
  });
}

/** Where numbers are taken and not written. */
export function describeNewestTaken(harness: () => TopicLogHarness): void {
  it("counts a number that is taken and not yet written", async () => {
    const { epoch } = (await append(harness(), topic, ["a"])).place;
    await appendHeld(harness(), topic, ["late", "late"]);
    expect(await harness().log.newest(DEFAULT_APP, [topic])).toEqual([{ epoch, seq: 3 }]);
  });
}
