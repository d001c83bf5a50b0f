import { expect, it } from "@jest/globals";
import { type ConnectionId, DEFAULT_APP, GATHERED_AFTER_MS, VOID_AFTER_MS } from "@topicast/core";
import { aTopic } from "./factories.ts";
import { append, appendHeld, readSince, type TopicLogHarness } from "./log-steps.ts";
import { aWakeUp, claim, gather, payloadsIn, read, tick } from "./log-tick-steps.ts";

const topic = aTopic();

export function describeTickPages(harness: () => TopicLogHarness): void {
  describeNumbered(harness);
  describeGathered(harness);
}

function describeNumbered(harness: () => TopicLogHarness): void {
  it("gives a tick what is new, in order, with who gets no copy", async () => {
    const bob = "bob" as ConnectionId;
    const { ticking } = await tick(harness(), ["a", "b"], { except: bob });
    await tick(harness(), ["c"]);
    const page = await claim(harness(), ticking.place);
    expect(page.numbered).toMatchObject([
      { message: { seq: 1, payload: "a", from: "alice" }, except: bob },
      { message: { seq: 2, payload: "b" }, except: bob },
      { message: { seq: 3, payload: "c" } },
    ]);
    expect(page.numbered[2]).not.toHaveProperty("except");
    expect(page).toMatchObject({ isAll: true, isFull: false, upTo: { seq: 3 } });
    await tick(harness(), ["d"]);
    expect(payloadsIn((await claim(harness(), page.upTo)).numbered)).toEqual(["d"]);
  });

  it("tells nobody else who gets no copy", async () => {
    const { place } = await tick(harness(), ["a"], { except: "bob" as ConnectionId });
    const { messages } = (await readSince(harness(), topic, { ...place, seq: 0 })) as { messages: readonly object[] };
    expect(messages).toEqual([{ seq: 1, payload: "a", from: "alice", time: harness().clock.now() }]);
  });

  it("finds the same again from the same place, whatever was handed out since", async () => {
    const { ticking } = await tick(harness(), ["a"]);
    const page = await claim(harness(), ticking.place);
    await tick(harness(), ["b"]);
    await claim(harness(), page.upTo);
    expect(payloadsIn((await read(harness(), ticking.place)).numbered)).toEqual(["a", "b"]);
  });

  it("gives what is more than a page in several, each batch whole", async () => {
    const large = "x".repeat(30_000);
    const { ticking } = await tick(harness(), [large]);
    for (let i = 0; i < 9; i++) await tick(harness(), [large]);
    const page = await claim(harness(), ticking.place);
    expect(page).toMatchObject({ isFull: true, isAll: false });
    expect(page.upTo.seq).toBe(page.numbered.length);
    const rest = await claim(harness(), page.upTo);
    expect(page.numbered.length + rest.numbered.length).toBe(10);
    expect(rest).toMatchObject({ isFull: false, isAll: true, upTo: { seq: 10 } });
  });

  it("keeps for a tick what no history keeps", async () => {
    const retention = { maxMessages: 0, maxAgeMs: 0 };
    const { ticking } = await tick(harness(), ["a"], { retention });
    for (let i = 0; i < 20; i++) await tick(harness(), [i], { retention });
    await harness().clock.advance(1_000);
    for (let i = 0; i < 5; i++) await append(harness(), aTopic("other"), [i]);
    expect((await read(harness(), ticking.place)).numbered).toHaveLength(21);
  });
}

function describeGathered(harness: () => TopicLogHarness): void {
  it("gives a tick once what was gathered, as it was counted, with its marks", async () => {
    const bob = "bob" as ConnectionId;
    const { place } = await gather(harness(), ["a", "b"], { from: "alice", latest: "position", except: bob });
    await gather(harness(), ["c"]);
    const time = harness().clock.now();
    const page = await claim(harness(), place);
    expect(page.gathered).toEqual([
      { message: { payload: "a", from: "alice", time }, latest: "position", except: bob },
      { message: { payload: "b", from: "alice", time }, latest: "position", except: bob },
      { message: { payload: "c", time } },
    ]);
    expect(page).toMatchObject({ numbered: [], isAll: true });
    expect((await claim(harness(), place)).gathered).toEqual([]);
    await gather(harness(), ["d"]);
    expect(payloadsIn((await claim(harness(), place)).gathered)).toEqual(["d"]);
  });

  it("has no number and no history", async () => {
    const { place } = await gather(harness(), ["a"]);
    expect(await harness().log.place(DEFAULT_APP, topic)).toEqual({ ...place, seq: 0 });
    expect(await readSince(harness(), topic, place)).toMatchObject({ recovered: true, messages: [] });
  });
}

/** Where numbers are taken and not written. */
export function describeTickPagesSettled(harness: () => TopicLogHarness): void {
  it("stops before a number that isn't written yet, and says that it is not all", async () => {
    const { ticking } = await tick(harness(), ["a"]);
    const late = await appendHeld(harness(), topic, ["late"], { tick: { wakeUp: aWakeUp(harness()) } });
    await tick(harness(), ["behind"]);
    const page = await claim(harness(), ticking.place);
    expect(payloadsIn(page.numbered)).toEqual(["a"]);
    expect(page).toMatchObject({ isAll: false, upTo: { seq: 1 } });
    late.release();
    await late.appended;
    const rest = await claim(harness(), page.upTo);
    expect(payloadsIn(rest.numbered)).toEqual(["late", "behind"]);
    expect(rest).toMatchObject({ isAll: true, upTo: { seq: 3 } });
  });

  it("goes past a number that is never written, also where it is the last", async () => {
    const { ticking } = await tick(harness(), ["a"]);
    await appendHeld(harness(), topic, ["dead"], { tick: { wakeUp: aWakeUp(harness()) } });
    await tick(harness(), ["b"]);
    await appendHeld(harness(), topic, ["dead too"], { tick: { wakeUp: aWakeUp(harness()) } });
    await harness().clock.advance(VOID_AFTER_MS + 1);
    const page = await claim(harness(), ticking.place);
    expect(payloadsIn(page.numbered)).toEqual(["a", "b"]);
    expect(page).toMatchObject({ isAll: true, upTo: { seq: 4 } });
  });

  it("waits for one that is late, and gives it up where it is never written", async () => {
    const { place } = await gather(harness(), ["a"]);
    const write = harness().holdNextWrite();
    const late = gather(harness(), ["late"]);
    await write.held;
    await gather(harness(), ["behind"]);
    const page = await claim(harness(), place);
    expect(payloadsIn(page.gathered)).toEqual(["a"]);
    expect(page.isAll).toBe(false);
    write.release();
    await late;
    expect(payloadsIn((await claim(harness(), place)).gathered)).toEqual(["late", "behind"]);

    const never = harness().holdNextWrite();
    gather(harness(), ["dead"]).catch(() => undefined);
    await never.held;
    await gather(harness(), ["b"]);
    await harness().clock.advance(GATHERED_AFTER_MS);
    const rest = await claim(harness(), place);
    expect(payloadsIn(rest.gathered)).toEqual(["b"]);
    expect(rest.isAll).toBe(true);
  });
}
