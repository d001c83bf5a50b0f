import { expect, it } from "@jest/globals";
import { DEFAULT_APP } from "@topicast/core";
import { aTopic } from "./factories.ts";
import { append, historySince, range, seqsOf, type TopicLogHarness } from "./log-steps.ts";

const topic = aTopic();

export function describeReading(harness: () => TopicLogHarness): void {
  describePages(harness);
  describeUnrecovered(harness);
}

function describePages(harness: () => TopicLogHarness): void {
  it("gives all after a place, oldest first, and nothing at the end", async () => {
    const { epoch } = await append(harness(), topic, ["a", "b"]);
    await append(harness(), topic, ["c"]);
    for (const [since, seqs] of [
      [0, [1, 2, 3]],
      [1, [2, 3]],
      [2, [3]],
      [3, []],
    ] as const) {
      const page = await harness().log.readSince(DEFAULT_APP, topic, { epoch, seq: since }, 10);
      expect(page).toMatchObject({ recovered: true, place: { epoch, seq: 3 }, more: false });
      expect(seqsOf(page.recovered ? page.messages : [])).toEqual(seqs);
    }
  });

  it.each([1, 2, 3, 7, 100])("gives each message once in pages of at most %i", async (limit) => {
    const { epoch } = await append(harness(), topic, range(1, 5));
    await append(harness(), topic, [6]);
    await append(harness(), topic, range(7, 9));
    const { messages, place } = await historySince(harness(), topic, { epoch, seq: 0 }, limit);
    expect(messages.map(({ payload }) => payload)).toEqual(range(1, 9));
    expect(seqsOf(messages)).toEqual(range(1, 9));
    expect(place).toEqual({ epoch, seq: 9 });
  });

  it("says that more follow only where they do, and how far the topic is in every page", async () => {
    const { epoch } = await append(harness(), topic, range(1, 4));
    const place = { epoch, seq: 4 };
    const { log } = harness();
    expect(await log.readSince(DEFAULT_APP, topic, { epoch, seq: 0 }, 3)).toMatchObject({ more: true, place });
    expect(await log.readSince(DEFAULT_APP, topic, { epoch, seq: 0 }, 4)).toMatchObject({ more: false, place });
    expect(await log.readSince(DEFAULT_APP, topic, { epoch, seq: 1 }, 3)).toMatchObject({ more: false, place });
  });

  it("reads a history that is larger than a page of DynamoDB (1 MB)", async () => {
    const payload = "x".repeat(30_000);
    for (let i = 0; i < 50; i++) await append(harness(), topic, [payload]);
    const { epoch } = await harness().log.place(DEFAULT_APP, topic);
    const { messages } = await historySince(harness(), topic, { epoch, seq: 0 });
    expect(seqsOf(messages)).toEqual(range(1, 50));
  });

  it("begins a topic that is read before anything else", async () => {
    const { log } = harness();
    const page = await log.readSince(DEFAULT_APP, topic, { epoch: "none", seq: 0 }, 10);
    expect(page).toEqual({ recovered: false, place: { epoch: expect.stringMatching(/^\S+$/), seq: 0 } });
    expect(await log.place(DEFAULT_APP, topic)).toEqual(page.place);
    const again = await log.readSince(DEFAULT_APP, topic, page.place, 10);
    expect(again).toEqual({ recovered: true, place: page.place, messages: [], more: false });
  });
}

function describeUnrecovered(harness: () => TopicLogHarness): void {
  it.each([0, 1, 2])("recovers nothing after place %i of another epoch", async (seq) => {
    const { epoch } = await append(harness(), topic, ["a", "b"]);
    const page = await harness().log.readSince(DEFAULT_APP, topic, { epoch: `${epoch}x`, seq }, 10);
    expect(page).toEqual({ recovered: false, place: { epoch, seq: 2 } });
  });

  it.each([3, 1_000_000, Number.MAX_SAFE_INTEGER])(
    "recovers nothing after place %i, ahead of the topic",
    async (seq) => {
      const { epoch } = await append(harness(), topic, ["a", "b"]);
      const page = await harness().log.readSince(DEFAULT_APP, topic, { epoch, seq }, 10);
      expect(page).toEqual({ recovered: false, place: { epoch, seq: 2 } });
    },
  );
}
