import { describe, expect, it } from "@jest/globals";
import { DEFAULT_APP, type Retention } from "@topicast/core";
import type { Json, Place, Topic } from "@topicast/protocol";
import { aTopic } from "./factories.ts";
import {
  append,
  appendHeld,
  DEFAULT_RETENTION,
  type History,
  historySince,
  latest,
  range,
  readSince,
  seqsOf,
  type TopicLogHarness,
} from "./log-steps.ts";

const topic = aTopic();

/** By what a topic may have no history. */
const NOTHING_KEPT = [
  ["number", { maxMessages: 0, maxAgeMs: 120_000 }],
  ["age", { maxMessages: 1_000, maxAgeMs: 0 }],
] as const;

/** A log whose topics all keep the same. */
function keeping(retention: Retention, harness: () => TopicLogHarness) {
  return {
    append: async (payloads: readonly Json[], to: Topic = topic): Promise<Place> =>
      (await append(harness(), to, payloads, { retention })).place,
    since: (since: Place): Promise<History> => historySince(harness(), topic, since, { retention }),
    latestSeqs: async () => seqsOf(await latest(harness(), topic, { retention })),
  };
}

export function describeRetention(harness: () => TopicLogHarness): void {
  describeNumberKept(harness);
  describeAgeKept(harness);
  describe.each(NOTHING_KEPT)("without history, by %s", (_, retention) => describeNothingKept(harness, retention));
  describeEachCall(harness);
}

function describeNumberKept(harness: () => TopicLogHarness): void {
  const retention = { maxMessages: 5, maxAgeMs: 120_000 };
  const log = keeping(retention, harness);

  it("keeps the newest messages up to a number", async () => {
    for (const seq of range(1, 12)) {
      const place = await log.append([seq]);
      const { epoch } = place;
      const oldest = Math.max(0, seq - 5);
      const { recovered, messages } = await log.since({ epoch, seq: oldest });
      expect({ recovered, seqs: seqsOf(messages) }).toEqual({ recovered: true, seqs: range(oldest + 1, seq) });
      expect(await log.latestSeqs()).toEqual(range(oldest + 1, seq));
      for (const dropped of range(0, oldest - 1)) {
        const page = await readSince(harness(), topic, { epoch, seq: dropped }, { retention });
        expect(page).toEqual({ recovered: false, place });
      }
    }
  });

  it("keeps the newest of batches, also of one that is larger than the number", async () => {
    await log.append(range(1, 4));
    const { epoch } = await log.append(range(5, 7));
    expect(seqsOf((await log.since({ epoch, seq: 2 })).messages)).toEqual(range(3, 7));
    expect(await log.latestSeqs()).toEqual(range(3, 7));
    await log.append(range(8, 15));
    expect(seqsOf((await log.since({ epoch, seq: 10 })).messages)).toEqual(range(11, 15));
    expect(await log.since({ epoch, seq: 6 })).toMatchObject({ recovered: false });
    expect(await log.latestSeqs()).toEqual(range(11, 15));
  });

  it("counts the messages of each topic for themselves", async () => {
    const { epoch } = await log.append(["a"]);
    for (const seq of range(1, 12)) await log.append([seq], aTopic("b"));
    expect(await log.since({ epoch, seq: 0 })).toMatchObject({ recovered: true, messages: [{}] });
  });
}

function describeAgeKept(harness: () => TopicLogHarness): void {
  const log = keeping({ maxMessages: 1_000, maxAgeMs: 10_000 }, harness);

  it("keeps messages up to an age, and the place and epoch beyond it", async () => {
    const { clock } = harness();
    const place = await log.append(["old"]);
    const beginning = { epoch: place.epoch, seq: 0 };
    await clock.advance(9_999);
    expect(await log.since(beginning)).toMatchObject({ recovered: true, messages: [{}] });
    expect(await log.latestSeqs()).toEqual([1]);
    await clock.advance(2);
    expect(await log.since(beginning)).toEqual({ recovered: false, place, messages: [] });
    expect(await log.since(place)).toEqual({ recovered: true, place, messages: [] });
    expect(await log.latestSeqs()).toEqual([]);
    expect(await harness().log.place(DEFAULT_APP, topic)).toEqual(place);
    expect(await log.append(["new"])).toEqual({ ...place, seq: 2 });
  });

  it("drops the old and keeps the young, whether or not more comes", async () => {
    const { clock } = harness();
    const { epoch } = await log.append([1]);
    for (const payload of [2, 3]) {
      await clock.advance(4_000);
      await log.append([payload]);
    }
    await clock.advance(2_001);
    expect(await log.since({ epoch, seq: 0 })).toMatchObject({ recovered: false });
    expect(seqsOf((await log.since({ epoch, seq: 1 })).messages)).toEqual([2, 3]);
    expect(await log.latestSeqs()).toEqual([2, 3]);
    await log.append([4]);
    expect(await log.since({ epoch, seq: 0 })).toMatchObject({ recovered: false });
    await clock.advance(4_000);
    expect(await log.since({ epoch, seq: 1 })).toMatchObject({ recovered: false });
    expect(seqsOf((await log.since({ epoch, seq: 2 })).messages)).toEqual([3, 4]);
  });

  it("keeps a young topic while another grows old", async () => {
    const { clock } = harness();
    await log.append(["old"], aTopic("b"));
    await clock.advance(9_000);
    const { epoch } = await log.append(["young"]);
    await clock.advance(2_000);
    await log.append(["new"], aTopic("c"));
    expect(await log.since({ epoch, seq: 0 })).toMatchObject({ recovered: true, messages: [{}] });
  });
}

function describeNothingKept(harness: () => TopicLogHarness, retention: Retention): void {
  const log = keeping(retention, harness);

  it("numbers and answers messages, and has none to recover", async () => {
    const { messages, place } = await append(harness(), topic, ["a", "b"], { retention });
    expect(messages).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    expect(await log.since({ epoch: place.epoch, seq: 0 })).toEqual({ recovered: false, place, messages: [] });
    expect(await log.since({ epoch: place.epoch, seq: 1 })).toEqual({ recovered: false, place, messages: [] });
    expect(await log.since(place)).toEqual({ recovered: true, place, messages: [] });
    expect(await log.latestSeqs()).toEqual([]);
    expect(await log.append(["c"])).toEqual({ ...place, seq: 3 });
  });
}

function describeEachCall(harness: () => TopicLogHarness): void {
  const minute = { maxMessages: 1_000, maxAgeMs: 60_000 };

  it("keeps of each topic what its own appends ask for", async () => {
    const { clock } = harness();
    const { place } = await append(harness(), topic, ["a"], { retention: minute });
    const brief = { maxMessages: 1_000, maxAgeMs: 1_000 };
    for (const i of range(1, 5)) await append(harness(), aTopic(`brief/${i}`), ["a"], { retention: brief });
    await clock.advance(30_000);
    for (const i of range(6, 10)) await append(harness(), aTopic(`brief/${i}`), ["a"], { retention: brief });
    const beginning = { epoch: place.epoch, seq: 0 };
    const kept = await historySince(harness(), topic, beginning, { retention: minute });
    expect(kept).toMatchObject({ recovered: true, messages: [{ payload: "a" }] });
  });

  it("gives no more than a reading asks for", async () => {
    const { epoch } = (await append(harness(), topic, range(1, 5))).place;
    const beginning = { epoch, seq: 0 };
    const two = { retention: { maxMessages: 2, maxAgeMs: 120_000 } };
    expect(await historySince(harness(), topic, beginning, two)).toMatchObject({ recovered: false });
    expect(seqsOf((await historySince(harness(), topic, { epoch, seq: 3 }, two)).messages)).toEqual([4, 5]);
    expect(seqsOf(await latest(harness(), topic, two))).toEqual([4, 5]);
    await harness().clock.advance(60_001);
    expect(await historySince(harness(), topic, beginning, { retention: minute })).toMatchObject({ recovered: false });
    expect(await latest(harness(), topic, { retention: minute })).toEqual([]);
    const all = { retention: DEFAULT_RETENTION };
    expect(seqsOf((await historySince(harness(), topic, beginning, all)).messages)).toEqual(range(1, 5));
  });
}

/** Where numbers are taken and not written. */
export function describeRetentionSettled(harness: () => TopicLogHarness): void {
  const aged = keeping({ maxMessages: 1_000, maxAgeMs: 10_000 }, harness);
  const few = keeping({ maxMessages: 5, maxAgeMs: 120_000 }, harness);

  it("takes nothing for gone of what isn't settled yet, however many follow", async () => {
    const place = await few.append(["first"]);
    await appendHeld(harness(), topic, ["late"]);
    for (const payload of range(3, 12)) await few.append([payload]);
    expect(await few.since(place)).toEqual({ recovered: true, place, messages: [] });
  });

  it("keeps what is young though a late publisher's message behind it is old", async () => {
    const { clock } = harness();
    const late = await appendHeld(harness(), topic, ["late"]);
    await clock.advance(9_000);
    const { epoch } = await aged.append(["young"]);
    await harness().log.place(DEFAULT_APP, topic);
    late.release();
    await late.appended;
    await clock.advance(2_000);
    for (const payload of range(4, 9)) await aged.append([payload]);
    const { recovered, messages } = await aged.since({ epoch, seq: 1 });
    expect([recovered, messages[0]]).toMatchObject([true, { seq: 2, payload: "young" }]);
    expect(seqsOf(messages)).toEqual(expect.arrayContaining([...range(4, 9)]));
  });

  it.each(NOTHING_KEPT)(
    "doesn't take a later message for nothing where the one before it was late, without history by %s",
    async (_, retention) => {
      const log = keeping(retention, harness);
      const late = await appendHeld(harness(), topic, ["late"], { retention });
      const { epoch, seq } = await log.append(["after"]);
      late.release();
      await late.appended;
      const place = { epoch, seq };
      expect(await log.since({ epoch, seq: 1 })).toEqual({ recovered: false, place, messages: [] });
      expect(await log.since(place)).toEqual({ recovered: true, place, messages: [] });
    },
  );
}
