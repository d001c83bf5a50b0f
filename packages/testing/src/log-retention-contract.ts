import { expect, it } from "@jest/globals";
import { DEFAULT_APP } from "@topicast/core";
import { aTopic } from "./factories.ts";
import { useHarness } from "./harness.ts";
import { append, type CreateTopicLogHarness, historySince, range, seqsOf } from "./log-steps.ts";

const topic = aTopic();

export function describeRetention(createHarness: CreateTopicLogHarness): void {
  describeNumberKept(createHarness);
  describeAgeKept(createHarness);
}

function describeNumberKept(createHarness: CreateTopicLogHarness): void {
  const harness = useHarness(() => createHarness({ maxMessages: 5, maxAgeMs: 120_000 }));

  it("keeps the newest messages up to a number", async () => {
    for (const seq of range(1, 12)) {
      const { epoch } = await append(harness(), topic, [seq]);
      const oldest = Math.max(0, seq - 5);
      const place = { epoch, seq };
      const { recovered, messages } = await historySince(harness(), topic, { epoch, seq: oldest });
      expect({ recovered, seqs: seqsOf(messages) }).toEqual({ recovered: true, seqs: range(oldest + 1, seq) });
      for (const dropped of range(0, oldest - 1)) {
        const page = await harness().log.readSince(DEFAULT_APP, topic, { epoch, seq: dropped }, 10);
        expect(page).toEqual({ recovered: false, place });
      }
    }
  });

  it("keeps the newest of batches, also of one that is larger than the number", async () => {
    await append(harness(), topic, range(1, 4));
    const { epoch } = await append(harness(), topic, range(5, 7));
    expect(seqsOf((await historySince(harness(), topic, { epoch, seq: 2 })).messages)).toEqual(range(3, 7));
    await append(harness(), topic, range(8, 15));
    expect(seqsOf((await historySince(harness(), topic, { epoch, seq: 10 })).messages)).toEqual(range(11, 15));
    expect(await historySince(harness(), topic, { epoch, seq: 6 })).toMatchObject({ recovered: false });
  });

  it("counts the messages of each topic for themselves", async () => {
    const { epoch } = await append(harness(), topic, ["a"]);
    for (const seq of range(1, 12)) await append(harness(), aTopic("b"), [seq]);
    expect(await historySince(harness(), topic, { epoch, seq: 0 })).toMatchObject({ recovered: true, messages: [{}] });
  });
}

function describeAgeKept(createHarness: CreateTopicLogHarness): void {
  const harness = useHarness(() => createHarness({ maxMessages: 1_000, maxAgeMs: 10_000 }));

  it("keeps messages up to an age, and the place and epoch beyond it", async () => {
    const { clock } = harness();
    const { epoch } = await append(harness(), topic, ["old"]);
    await clock.advance(9_999);
    expect(await historySince(harness(), topic, { epoch, seq: 0 })).toMatchObject({ recovered: true, messages: [{}] });
    await clock.advance(2);
    const place = { epoch, seq: 1 };
    expect(await historySince(harness(), topic, { epoch, seq: 0 })).toEqual({ recovered: false, place, messages: [] });
    expect(await historySince(harness(), topic, place)).toEqual({ recovered: true, place, messages: [] });
    expect(await harness().log.place(DEFAULT_APP, topic)).toEqual(place);
    expect(seqsOf((await append(harness(), topic, ["new"])).messages)).toEqual([2]);
  });

  it("drops the old and keeps the young, whether or not more comes", async () => {
    const { clock } = harness();
    const { epoch } = await append(harness(), topic, [1]);
    for (const payload of [2, 3]) {
      await clock.advance(4_000);
      await append(harness(), topic, [payload]);
    }
    await clock.advance(2_001);
    expect(await historySince(harness(), topic, { epoch, seq: 0 })).toMatchObject({ recovered: false });
    expect(seqsOf((await historySince(harness(), topic, { epoch, seq: 1 })).messages)).toEqual([2, 3]);
    await append(harness(), topic, [4]);
    expect(await historySince(harness(), topic, { epoch, seq: 0 })).toMatchObject({ recovered: false });
    await clock.advance(4_000);
    expect(await historySince(harness(), topic, { epoch, seq: 1 })).toMatchObject({ recovered: false });
    expect(seqsOf((await historySince(harness(), topic, { epoch, seq: 2 })).messages)).toEqual([3, 4]);
  });

  it("keeps a young topic while another grows old", async () => {
    const { clock } = harness();
    await append(harness(), aTopic("b"), ["old"]);
    await clock.advance(9_000);
    const { epoch } = await append(harness(), topic, ["young"]);
    await clock.advance(2_000);
    await append(harness(), aTopic("c"), ["new"]);
    expect(await historySince(harness(), topic, { epoch, seq: 0 })).toMatchObject({ recovered: true, messages: [{}] });
  });
}
