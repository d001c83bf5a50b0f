import { expect, it } from "@jest/globals";
import { DEFAULT_APP, VOID_AFTER_MS } from "@topicast/core";
import { anApp, aTopic } from "./factories.ts";
import {
  append,
  appendHeld,
  DEFAULT_RETENTION,
  latest,
  payloadsOf,
  range,
  seqsOf,
  type TopicLogHarness,
} from "./log-steps.ts";

const topic = aTopic();

export function describeLatest(harness: () => TopicLogHarness): void {
  it.each([1, 2, 3, 6, 9])("gives the newest %i, oldest first", async (limit) => {
    await append(harness(), topic, range(1, 5));
    await append(harness(), topic, [6]);
    await append(harness(), topic, range(7, 9));
    const messages = await latest(harness(), topic, { limit });
    expect(seqsOf(messages)).toEqual(range(10 - limit, 9));
    expect(payloadsOf(messages)).toEqual(range(10 - limit, 9));
  });

  it("gives all where there are fewer, as they were appended", async () => {
    const { messages, place } = await append(harness(), topic, ["a", "b"]);
    const options = { limit: 100, retention: DEFAULT_RETENTION };
    expect(await harness().log.readLatest(DEFAULT_APP, topic, options)).toEqual({ place, messages, more: false });
  });

  it("has none of a new topic, which begins", async () => {
    const options = { limit: 10, retention: DEFAULT_RETENTION };
    const page = await harness().log.readLatest(DEFAULT_APP, topic, options);
    expect(page).toEqual({ place: { epoch: expect.stringMatching(/^\S+$/), seq: 0 }, messages: [], more: false });
    expect(await harness().log.place(DEFAULT_APP, topic)).toEqual(page.place);
  });

  it("shows an append that was answered before", async () => {
    for (const seq of range(1, 10)) {
      await append(harness(), topic, [seq]);
      expect(seqsOf(await latest(harness(), topic, { limit: 1 }))).toEqual([seq]);
    }
  });

  it("gives the newest that have at most 128 KB together, also in the middle of a batch", async () => {
    const payload = "é".repeat(15_000);
    for (let i = 0; i < 5; i++) await append(harness(), topic, [payload]);
    await append(harness(), topic, ["small"]);
    expect(seqsOf(await latest(harness(), topic))).toEqual(range(2, 6));
    await append(harness(), topic, [payload, payload, payload]);
    await append(harness(), topic, [payload, payload]);
    expect(seqsOf(await latest(harness(), topic))).toEqual(range(8, 11));
  });

  it("says whether it leaves out what was asked for and is kept", async () => {
    const { log } = harness();
    const more = async (limit: number, retention = DEFAULT_RETENTION) =>
      (await log.readLatest(DEFAULT_APP, topic, { limit, retention })).more;
    for (const payload of ["first", "x".repeat(150_000)]) await append(harness(), topic, [payload]);
    expect([await more(1), await more(2)]).toEqual([false, true]);
    expect(await more(2, { ...DEFAULT_RETENTION, maxMessages: 1 })).toBe(false);
    for (let i = 0; i < 5; i++) await append(harness(), topic, ["é".repeat(15_000)]);
    expect([await more(4), await more(5)]).toEqual([false, true]);
    expect(await more(5, { ...DEFAULT_RETENTION, maxMessages: 4 })).toBe(false);
  });

  it("gives a message that is larger than a page alone", async () => {
    await append(harness(), topic, ["small", "x".repeat(150_000)]);
    expect(seqsOf(await latest(harness(), topic))).toEqual([2]);
  });

  it("keeps applications apart", async () => {
    await append(harness(), topic, ["mine"]);
    await append(harness(), topic, ["theirs"], { app: anApp("other") });
    expect(payloadsOf(await latest(harness(), topic))).toEqual(["mine"]);
    expect(payloadsOf(await latest(harness(), topic, { app: anApp("other") }))).toEqual(["theirs"]);
  });
}

/** Where numbers are taken and not written. */
export function describeLatestSettled(harness: () => TopicLogHarness): void {
  it("leaves out what isn't settled", async () => {
    await append(harness(), topic, ["a", "b"]);
    const late = await appendHeld(harness(), topic, ["late"]);
    await append(harness(), topic, ["after"]);
    expect(seqsOf(await latest(harness(), topic, { limit: 2 }))).toEqual([1, 2]);
    late.release();
    await late.appended;
    expect(seqsOf(await latest(harness(), topic, { limit: 2 }))).toEqual([3, 4]);
  });

  it("counts no void numbers", async () => {
    await append(harness(), topic, ["a"]);
    await appendHeld(harness(), topic, ["never", "never"]);
    await append(harness(), topic, ["b"]);
    for (const _ of range(1, 3)) await appendHeld(harness(), topic, ["never"]);
    await harness().clock.advance(VOID_AFTER_MS + 1);
    expect(seqsOf(await latest(harness(), topic, { limit: 2 }))).toEqual([1, 4]);
    expect((await harness().log.place(DEFAULT_APP, topic)).seq).toBe(7);
  });
}
