import { expect, it } from "@jest/globals";
import { DEFAULT_APP } from "@topicast/core";
import { anApp, aTopic } from "./factories.ts";
import {
  append,
  appendHeld,
  historySince,
  latest,
  payloadsOf,
  range,
  readSince,
  type TopicLogHarness,
  wholeHistory,
} from "./log-steps.ts";

const topic = aTopic();
const key = { sender: "alice", value: "k1" };

export function describeRestarting(harness: () => TopicLogHarness): void {
  describeNewEpoch(harness);
  describePublishersMeanwhile(harness);
}

function restart(harness: () => TopicLogHarness): Promise<void> {
  return harness().log.restart(DEFAULT_APP, topic);
}

function describeNewEpoch(harness: () => TopicLogHarness): void {
  it("begins a new epoch at 0, without what was before", async () => {
    const { log } = harness();
    const before = (await append(harness(), topic, range(1, 5))).place;
    await restart(harness);
    const place = await log.place(DEFAULT_APP, topic);
    expect(place).toEqual({ epoch: expect.stringMatching(/^\S+$/), seq: 0 });
    expect(place.epoch).not.toBe(before.epoch);
    expect(await log.newest(DEFAULT_APP, [topic])).toEqual([place]);
    expect(await latest(harness(), topic)).toEqual([]);
    expect(await historySince(harness(), topic, place)).toEqual({ recovered: true, place, messages: [] });
    for (const seq of [0, 3, 5]) {
      const page = await readSince(harness(), topic, { epoch: before.epoch, seq });
      expect(page).toEqual({ recovered: false, place });
    }
  });

  it("counts from 1 again", async () => {
    await append(harness(), topic, range(1, 5));
    await restart(harness);
    const { messages, place } = await append(harness(), topic, ["a", "b"]);
    expect(messages).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    expect(await wholeHistory(harness(), topic)).toEqual({ recovered: true, place, messages });
    expect(await latest(harness(), topic)).toEqual(messages);
  });

  it("begins another epoch each time", async () => {
    const epochs = [(await harness().log.place(DEFAULT_APP, topic)).epoch];
    for (const _ of range(1, 3)) {
      await restart(harness);
      epochs.push((await harness().log.place(DEFAULT_APP, topic)).epoch);
    }
    expect(new Set(epochs).size).toBe(4);
  });

  it("leaves a topic that there isn't as it is", async () => {
    await restart(harness);
    expect(await harness().log.newest(DEFAULT_APP, [topic])).toEqual([undefined]);
  });

  it("touches no other topic, and none of another application", async () => {
    const others = [{ topic: aTopic("b") }, { topic, app: anApp("other") }];
    await append(harness(), topic, ["a"]);
    for (const { topic: each, ...app } of others) await append(harness(), each, ["a"], app);
    const before = await Promise.all(others.map(({ topic: each, app }) => wholeHistory(harness(), each, app)));
    await restart(harness);
    const after = await Promise.all(others.map(({ topic: each, app }) => wholeHistory(harness(), each, app)));
    expect(after).toEqual(before);
    expect(after).toMatchObject([{ messages: [{}] }, { messages: [{}] }]);
  });
}

function describePublishersMeanwhile(harness: () => TopicLogHarness): void {
  it("answers a repeat of what was written before with the first place and no messages", async () => {
    const first = await append(harness(), topic, ["a", "b"], { key });
    await restart(harness);
    const repeated = await append(harness(), topic, ["c"], { key });
    expect(repeated).toEqual({ place: first.place, messages: [] });
    expect((await harness().log.place(DEFAULT_APP, topic)).seq).toBe(0);
  });

  it.each(["key", "write"] as const)(
    "gives the repeat of an append that died before its %s numbers of the new epoch",
    async (before) => {
      const { epoch } = (await append(harness(), topic, ["a"])).place;
      const late = await appendHeld(harness(), topic, ["late"], { key, before });
      await restart(harness);
      const repeated = await append(harness(), topic, ["repeat"], { key });
      expect(repeated).toMatchObject({ place: { seq: 1 }, messages: [{ seq: 1, payload: "repeat", key: "k1" }] });
      expect(repeated.place.epoch).not.toBe(epoch);
      late.release();
      expect(await late.appended).toEqual(repeated);
      expect(payloadsOf((await wholeHistory(harness(), topic)).messages)).toEqual(["repeat"]);
    },
  );
}

/** Where numbers are taken and not written. */
export function describeRestartingMeanwhile(harness: () => TopicLogHarness): void {
  it("shows nothing in the new epoch of a batch that took its numbers before", async () => {
    await append(harness(), topic, ["a"]);
    const late = await appendHeld(harness(), topic, ["late 1", "late 2"]);
    await restart(harness);
    const place = await harness().log.place(DEFAULT_APP, topic);
    late.release();
    const [outcome] = await Promise.allSettled([late.appended]);
    // Deleted as the rest of its epoch, or refused; but never with a place of the new one.
    if (outcome.status === "fulfilled") expect(outcome.value.place.epoch).not.toBe(place.epoch);
    expect(await wholeHistory(harness(), topic)).toEqual({ recovered: true, place, messages: [] });
    const { messages } = await append(harness(), topic, ["new"]);
    expect((await wholeHistory(harness(), topic)).messages).toEqual(messages);
  });
}
