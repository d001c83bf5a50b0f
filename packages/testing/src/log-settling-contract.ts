import { describe, expect, it } from "@jest/globals";
import { DEFAULT_APP, VOID_AFTER_MS } from "@topicast/core";
import type { Place } from "@topicast/protocol";
import { aTopic } from "./factories.ts";
import {
  append,
  appendHeld,
  historySince,
  payloadsOf,
  range,
  readSince,
  seqsOf,
  type TopicLogHarness,
  wholeHistory,
} from "./log-steps.ts";

const topic = aTopic();

export function describeSettling(harness: () => TopicLogHarness): void {
  describeLate(harness);
  describeVoid(harness);
  describeFailed(harness);
  describe("a reader and a late publisher at the same moment", () => describeRaces(harness));
}

function placeOf({ log }: TopicLogHarness): Promise<Place> {
  return log.place(DEFAULT_APP, topic);
}

function describeLate(harness: () => TopicLogHarness): void {
  it("stays before a number that is taken and not yet written, and moves on when it is", async () => {
    const { clock } = harness();
    const { epoch } = (await append(harness(), topic, ["a"])).place;
    const late = await appendHeld(harness(), topic, ["late"]);
    expect(await placeOf(harness())).toEqual({ epoch, seq: 1 });
    const { messages } = await append(harness(), topic, ["after"]);
    expect(seqsOf(messages)).toEqual([3]);
    await clock.advance(VOID_AFTER_MS - 1);
    expect(await placeOf(harness())).toEqual({ epoch, seq: 1 });
    const page = await readSince(harness(), topic, { epoch, seq: 0 }, { limit: 1 });
    expect(page).toMatchObject({ recovered: true, place: { seq: 1 }, messages: [{ seq: 1 }], more: false });

    late.release();
    expect(seqsOf((await late.appended).messages)).toEqual([2]);
    const history = await wholeHistory(harness(), topic);
    expect(history.place).toEqual({ epoch, seq: 3 });
    expect(payloadsOf(history.messages)).toEqual(["a", "late", "after"]);
  });

  it("waits for the first of several that are late, in whatever order they write", async () => {
    const one = await appendHeld(harness(), topic, ["one", "one"]);
    const two = await appendHeld(harness(), topic, ["two"]);
    two.release();
    expect(seqsOf((await two.appended).messages)).toEqual([3]);
    expect((await placeOf(harness())).seq).toBe(0);
    one.release();
    await one.appended;
    expect((await placeOf(harness())).seq).toBe(3);
    expect(seqsOf((await wholeHistory(harness(), topic)).messages)).toEqual([1, 2, 3]);
  });

  it("holds up no other topic", async () => {
    await appendHeld(harness(), topic, ["late"]);
    await append(harness(), aTopic("b"), ["a"]);
    expect((await harness().log.place(DEFAULT_APP, aTopic("b"))).seq).toBe(1);
  });

  it("writes a late message once where no reader came by", async () => {
    const late = await appendHeld(harness(), topic, ["late"]);
    await append(harness(), topic, ["after"]);
    await harness().clock.advance(2 * VOID_AFTER_MS);
    late.release();
    const [written] = (await late.appended).messages;
    const { messages } = await wholeHistory(harness(), topic);
    expect(messages.filter(({ payload }) => payload === "late")).toEqual([written]);
  });
}

function describeVoid(harness: () => TopicLogHarness): void {
  it("makes void what stays empty for too long, and gives the late publisher new numbers", async () => {
    const { clock } = harness();
    const late = await appendHeld(harness(), topic, ["late 1", "late 2"]);
    const { epoch } = (await append(harness(), topic, ["after"])).place;
    await clock.advance(VOID_AFTER_MS + 1);
    expect(await placeOf(harness())).toEqual({ epoch, seq: 3 });
    expect(seqsOf((await wholeHistory(harness(), topic)).messages)).toEqual([3]);

    late.release();
    const appended = await late.appended;
    expect(appended.place).toEqual({ epoch, seq: 5 });
    expect(seqsOf(appended.messages)).toEqual([4, 5]);
    const { messages } = await wholeHistory(harness(), topic);
    expect(messages.map(({ seq, payload }) => [seq, payload])).toEqual([
      [3, "after"],
      [4, "late 1"],
      [5, "late 2"],
    ]);
  });

  it("moves past a void number that is the last", async () => {
    const { epoch } = (await append(harness(), topic, ["a", "b"])).place;
    await appendHeld(harness(), topic, ["never"]);
    await harness().clock.advance(VOID_AFTER_MS + 1);
    const page = await readSince(harness(), topic, { epoch, seq: 0 }, { limit: 2 });
    expect(page).toMatchObject({ recovered: true, place: { epoch, seq: 3 }, more: false });
    expect(seqsOf((await append(harness(), topic, ["c"])).messages)).toEqual([4]);
  });

  it("recovers after a void number, and across it in pages", async () => {
    await append(harness(), topic, ["a"]);
    await appendHeld(harness(), topic, ["never", "never"]);
    const { epoch } = (await append(harness(), topic, ["b", "c"])).place;
    await harness().clock.advance(VOID_AFTER_MS + 1);
    for (const since of [1, 2, 3]) {
      const { recovered, messages } = await historySince(harness(), topic, { epoch, seq: since }, { limit: 1 });
      expect({ recovered, seqs: seqsOf(messages) }).toEqual({ recovered: true, seqs: [4, 5] });
    }
  });

  it("waits for a young number behind a void one", async () => {
    const { clock } = harness();
    await appendHeld(harness(), topic, ["never"]);
    await clock.advance(VOID_AFTER_MS - 500);
    const young = await appendHeld(harness(), topic, ["young"]);
    await append(harness(), topic, ["after"]);
    await clock.advance(501);
    expect((await placeOf(harness())).seq).toBe(1);
    young.release();
    expect(seqsOf((await young.appended).messages)).toEqual([2]);
    expect(seqsOf((await wholeHistory(harness(), topic)).messages)).toEqual([2, 3]);
  });
}

function describeFailed(harness: () => TopicLogHarness): void {
  it("never uses the number of an append that failed again", async () => {
    const failing = await appendHeld(harness(), topic, ["lost"]);
    failing.fail();
    await expect(failing.appended).rejects.toBeInstanceOf(Error);
    expect(seqsOf((await append(harness(), topic, ["after"])).messages)).toEqual([2]);
    await harness().clock.advance(VOID_AFTER_MS + 1);
    expect((await placeOf(harness())).seq).toBe(2);
    expect((await wholeHistory(harness(), topic)).messages).toMatchObject([{ seq: 2, payload: "after" }]);
  });
}

/** How many turns of the microtask queue the one lets the other go ahead. */
const HEAD_STARTS = range(0, 8);

async function waitTurns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

function describeRaces(harness: () => TopicLogHarness): void {
  it.each(HEAD_STARTS)("writes once, and never in what was settled (the reader %i turns late)", async (turns) => {
    const { late, epoch } = await prepare();
    late.release();
    await waitTurns(turns);
    await expectOneWinner(epoch, late.appended);
  });

  it.each(HEAD_STARTS)("writes once, and never in what was settled (the publisher %i turns late)", async (turns) => {
    const { late, epoch } = await prepare();
    const winner = expectOneWinner(epoch, late.appended);
    await waitTurns(turns);
    late.release();
    await winner;
  });

  it("agrees with itself where many readers come at once", async () => {
    const { late, epoch } = await prepare();
    const places = await Promise.all(range(1, 5).map(() => placeOf(harness())));
    expect(places).toEqual(places.map(() => ({ epoch, seq: 2 })));
    late.release();
    expect(seqsOf((await late.appended).messages)).toEqual([3]);
  });

  /** 1 is held for longer than it may be, 2 is written. */
  async function prepare() {
    const late = await appendHeld(harness(), topic, ["late"]);
    const { epoch } = (await append(harness(), topic, ["after"])).place;
    await harness().clock.advance(VOID_AFTER_MS + 1);
    return { late, epoch };
  }

  async function expectOneWinner(epoch: string, appended: ReturnType<typeof append>): Promise<void> {
    const readings = range(1, 3).map(() => historySince(harness(), topic, { epoch, seq: 0 }));
    const [settled, written] = await Promise.all([Promise.all(readings), appended]);
    const { place, messages } = await historySince(harness(), topic, { epoch, seq: 0 });
    expect(messages.filter(({ payload }) => payload === "late")).toEqual(written.messages);
    expect(place.seq).toBe(written.messages[0]?.seq === 1 ? 2 : 3);
    for (const earlier of settled) {
      expect(messages.filter(({ seq }) => seq <= earlier.place.seq)).toEqual(earlier.messages);
    }
  }
}
