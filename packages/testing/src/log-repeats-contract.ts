import { describe, expect, it } from "@jest/globals";
import { type Appended, DEFAULT_APP, VOID_AFTER_MS } from "@topicast/core";
import { aTopic } from "./factories.ts";
import {
  append,
  appendHeld,
  type HeldAppend,
  payloadsOf,
  range,
  seqsOf,
  type TopicLogHarness,
  wholeHistory,
} from "./log-steps.ts";

const topic = aTopic();
const key = { sender: "alice", value: "k1" };
const STEPS = ["key", "write"] as const;

/** A publisher may be late or die between any two steps of an append; then the same key comes again. */
export function describeRepeats(harness: () => TopicLogHarness): void {
  describeDeath(harness);
  describeLateness(harness);
  describe("an original and its repeat, both held", () => describeInterleavings(harness));
}

function describeDeath(harness: () => TopicLogHarness): void {
  it.each(STEPS)("finishes an append that failed before its %s", async (before) => {
    const failing = await appendHeld(harness(), topic, ["lost"], { key, before });
    failing.fail();
    await expect(failing.appended).rejects.toBeInstanceOf(Error);
    const repeated = await append(harness(), topic, ["repeat"], { key });
    expect(payloadsOf(repeated.messages)).toEqual(["repeat"]);
    await expectOne(harness(), [repeated]);
  });

  it("finishes an append whose repeats died too, at one step after another", async () => {
    for (const before of [...STEPS, ...STEPS]) await appendHeld(harness(), topic, ["lost"], { key, before });
    const repeated = await append(harness(), topic, ["repeat"], { key });
    expect(payloadsOf(repeated.messages)).toEqual(["repeat"]);
    await expectOne(harness(), [repeated]);
  });
}

function describeLateness(harness: () => TopicLogHarness): void {
  it.each(STEPS)("answers an append that was late before its %s as its repeat was answered", async (before) => {
    const late = await appendHeld(harness(), topic, ["late"], { key, before });
    const repeated = await append(harness(), topic, ["repeat"], { key });
    late.release();
    expect(await late.appended).toEqual(repeated);
    await expectNothingEmpty(harness());
    await expectOne(harness(), [repeated]);
  });
}

type End = (original: HeldAppend, repeat: HeldAppend) => Promise<unknown>;

async function release({ release, appended }: HeldAppend): Promise<void> {
  release();
  await appended;
}

async function fail({ fail, appended }: HeldAppend): Promise<void> {
  fail();
  await expect(appended).rejects.toBeInstanceOf(Error);
}

const ENDS: Readonly<Record<string, End>> = {
  "the original goes on first": async (original, repeat) => {
    await release(original);
    await release(repeat);
  },
  "the repeat goes on first": async (original, repeat) => {
    await release(repeat);
    await release(original);
  },
  "both go on at once": (original, repeat) => Promise.all([release(original), release(repeat)]),
  "both go on at once, the repeat a little before": (original, repeat) =>
    Promise.all([release(repeat), release(original)]),
  "the original fails, then the repeat goes on": async (original, repeat) => {
    await fail(original);
    await release(repeat);
  },
  "the original goes on, then the repeat fails": async (original, repeat) => {
    await release(original);
    repeat.fail();
    await Promise.allSettled([repeat.appended]);
  },
  "the repeat fails, then the original goes on": async (original, repeat) => {
    await fail(repeat);
    await release(original);
  },
  "the repeat goes on, then the original fails": async (original, repeat) => {
    await release(repeat);
    original.fail();
    await Promise.allSettled([original.appended]);
  },
  "both fail": (original, repeat) => Promise.all([fail(original), fail(repeat)]),
  "the original goes on and the repeat never does": (original) => release(original),
  "the repeat goes on and the original never does": (_, repeat) => release(repeat),
};

function describeInterleavings(harness: () => TopicLogHarness): void {
  const stops = STEPS.flatMap((one) => STEPS.map((other) => [one, other] as const));
  const cases = stops.flatMap((each) => Object.keys(ENDS).map((end) => [...each, end] as const));

  it.each(cases)("write once: before its %s, before its %s; %s", async (original, repeat, end) => {
    await append(harness(), topic, ["a"]);
    const one = await appendHeld(harness(), topic, ["original 1", "original 2"], { key, before: original });
    const other = await appendHeld(harness(), topic, ["repeat"], { key, before: repeat });
    await append(harness(), topic, ["after"]);
    await ENDS[end]?.(one, other);
    const answers = await answersOf([one, other]);
    if (answers.length === 2) await expectNothingEmpty(harness());
    await expectOne(harness(), answers, ["a", "after"]);
  });
}

/** What those were answered that aren't held any more and didn't fail. */
async function answersOf(appends: readonly HeldAppend[]): Promise<readonly Appended[]> {
  const nothing = Symbol("held or failed");
  const outcomes = appends.map(({ appended }) => Promise.race([appended, nothing]).catch(() => nothing));
  return (await Promise.all(outcomes)).filter((outcome): outcome is Appended => typeof outcome !== "symbol");
}

/** Whoever lost made its numbers void: no reader has to wait for them. */
async function expectNothingEmpty({ log }: TopicLogHarness): Promise<void> {
  expect(await log.newest(DEFAULT_APP, [topic])).toEqual([await log.place(DEFAULT_APP, topic)]);
}

/** One more repeat is answered as all before, and the topic has its messages once, beside the others, in order and settled. */
async function expectOne(
  harness: TopicLogHarness,
  answers: readonly Appended[],
  others: readonly string[] = [],
): Promise<void> {
  const last = await append(harness, topic, ["last repeat"], { key });
  for (const answer of answers) expect(answer).toEqual(last);
  expect(last.messages.at(-1)?.seq).toBe(last.place.seq);
  const first = last.messages[0]?.seq ?? Number.NaN;
  expect(seqsOf(last.messages)).toEqual(range(first, last.place.seq));

  await harness.clock.advance(VOID_AFTER_MS + 1);
  const { place, messages } = await wholeHistory(harness, topic);
  expect([place]).toEqual(await harness.log.newest(DEFAULT_APP, [topic]));
  expect(messages.filter((message) => message.key !== undefined)).toEqual(last.messages);
  expect(payloadsOf(messages.filter((message) => message.key === undefined))).toEqual(others);
}

/** Where numbers are taken and not written. */
export function describeRepeatsSettled(harness: () => TopicLogHarness): void {
  it.each(STEPS)("finishes an append that died before its %s, and doubles nothing", async (before) => {
    await append(harness(), topic, ["a"]);
    await appendHeld(harness(), topic, ["lost 1", "lost 2"], { key, before });
    const after = await append(harness(), topic, ["after"]);
    const repeated = await append(harness(), topic, ["repeat"], { key });
    expect(repeated).toMatchObject({ place: { seq: 5 }, messages: [{ seq: 5, payload: "repeat", key: "k1" }] });
    expect(repeated.place.epoch).toBe(after.place.epoch);
    await expectOne(harness(), [repeated], ["a", "after"]);
  });

  it("makes the numbers void at once that a dead append's key stood for", async () => {
    await appendHeld(harness(), topic, ["lost 1", "lost 2"], { key });
    expect((await harness().log.place(DEFAULT_APP, topic)).seq).toBe(0);
    const { place } = await append(harness(), topic, ["repeat"], { key });
    expect(place.seq).toBe(3);
    expect(await harness().log.place(DEFAULT_APP, topic)).toEqual(place);
  });

  it("never shows a void number's message later, though its publisher goes on", async () => {
    const late = await appendHeld(harness(), topic, ["late 1", "late 2"], { key });
    const { place } = await append(harness(), topic, ["repeat"], { key });
    const before = await wholeHistory(harness(), topic);
    expect(before).toMatchObject({ place, messages: [{ seq: 3 }] });
    late.release();
    await late.appended;
    expect(await wholeHistory(harness(), topic)).toEqual(before);
  });

  it("gives an append new numbers that was so late that readers made its own void, and its repeats the same", async () => {
    const late = await appendHeld(harness(), topic, ["late"], { key });
    await harness().clock.advance(VOID_AFTER_MS + 1);
    expect((await harness().log.place(DEFAULT_APP, topic)).seq).toBe(1);
    late.release();
    const appended = await late.appended;
    expect(appended).toMatchObject({ place: { seq: 2 }, messages: [{ seq: 2, payload: "late" }] });
    expect(await append(harness(), topic, ["repeat"], { key })).toEqual(appended);
    await expectOne(harness(), [appended]);
  });

  it.each(STEPS)("agrees where readers made void what was late before its %s, and a repeat came", async (before) => {
    const late = await appendHeld(harness(), topic, ["late"], { key, before });
    await harness().clock.advance(VOID_AFTER_MS + 1);
    expect((await harness().log.place(DEFAULT_APP, topic)).seq).toBe(1);
    const repeated = await append(harness(), topic, ["repeat"], { key });
    late.release();
    expect(await late.appended).toEqual(repeated);
    await expectNothingEmpty(harness());
    await expectOne(harness(), [repeated]);
  });
}
