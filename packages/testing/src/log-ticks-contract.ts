import { expect, it } from "@jest/globals";
import { DEFAULT_APP } from "@topicast/core";
import { anApp, aTopic } from "./factories.ts";
import { append, DEFAULT_RETENTION, range, readSince, seqsOf, type TopicLogHarness } from "./log-steps.ts";
import { aWakeUp, claim, gather, payloadsIn, read, tick, wakeUpOf } from "./log-tick-steps.ts";

const topic = aTopic();

export function describeTicks(harness: () => TopicLogHarness): void {
  describeClaims(harness);
  describeWakeUps(harness);
  describeEnds(harness);
}

function describeClaims(harness: () => TopicLogHarness): void {
  it("lets one of many that overlap claim the wake-up, and tells the others of it", async () => {
    const publish = (i: number) =>
      i % 2 === 0 ? tick(harness(), [i]).then(({ ticking }) => ticking) : gather(harness(), [i]);
    const tickings = await Promise.all(range(1, 20).map(publish));
    const [first] = tickings;
    expect(first?.wakeUp.isSent).toBe(false);
    expect(tickings).toEqual(tickings.map(() => first));
    expect(first?.place.seq).toBe(0);
    expect(await harness().log.ticking(DEFAULT_APP, topic)).toEqual(first);
  });

  it("begins behind what was published before there were ticks", async () => {
    await append(harness(), topic, ["before", "before"]);
    const { place, ticking } = await tick(harness(), ["a"]);
    expect(ticking.place).toEqual({ ...place, seq: 2 });
    expect(payloadsIn((await read(harness(), ticking.place)).numbered)).toEqual(["a"]);
  });

  it("says nothing of ticks where none was asked for, nor to the repeat of a key", async () => {
    expect((await append(harness(), topic, ["a"])).ticking).toBeUndefined();
    const key = { sender: "alice", value: "k" };
    const options = { key, tick: { wakeUp: aWakeUp(harness()) } };
    expect((await append(harness(), topic, ["b"], options)).ticking).toBeDefined();
    const repeated = await append(harness(), topic, ["b"], options);
    expect(seqsOf(repeated.messages)).toEqual([2]);
    expect(repeated.ticking).toBeUndefined();
  });

  it("lets only one of several workers have a tick", async () => {
    const { ticking } = await tick(harness(), ["a"]);
    await gather(harness(), ["b"]);
    const pages = await Promise.all(range(1, 5).map(() => read(harness(), ticking.place)));
    const claims = await Promise.all(
      pages.map((page) => harness().log.claimTick(DEFAULT_APP, topic, page, aWakeUp(harness()))),
    );
    expect(claims.filter((isMine) => isMine)).toHaveLength(1);
    const page = await read(harness(), ticking.place);
    expect(page).toMatchObject({ ticking: { place: { seq: 1 } } });
    expect(page.gathered).toEqual([]);
  });
}

function describeWakeUps(harness: () => TopicLogHarness): void {
  it("changes the wake-up only for who knows it", async () => {
    const { log } = harness();
    const { wakeUp } = (await tick(harness(), ["a"])).ticking;
    const sent = { ...wakeUp, isSent: true };
    expect(await log.replaceWakeUp(DEFAULT_APP, topic, wakeUp, sent)).toBe(true);
    expect((await tick(harness(), ["b"])).ticking.wakeUp).toEqual(sent);
    expect(await log.replaceWakeUp(DEFAULT_APP, topic, wakeUp, aWakeUp(harness()))).toBe(false);
    const other = aWakeUp(harness());
    expect(await log.replaceWakeUp(DEFAULT_APP, topic, sent, other)).toBe(true);
    expect((await gather(harness(), ["c"])).wakeUp).toEqual(other);
  });

  it("knows of none where there is no topic, or another application's", async () => {
    await tick(harness(), ["a"]);
    const { log } = harness();
    expect(await log.ticking(anApp("other"), topic)).toBeUndefined();
    expect(await log.ticking(DEFAULT_APP, aTopic("none"))).toBeUndefined();
    expect(await log.replaceWakeUp(DEFAULT_APP, aTopic("none"), aWakeUp(harness()), aWakeUp(harness()))).toBe(false);
  });

  it("has none in a new epoch, and forgets what was gathered", async () => {
    const { log } = harness();
    const { place } = (await tick(harness(), ["a"])).ticking;
    await gather(harness(), ["b"]);
    const page = await read(harness(), place);
    await log.restart(DEFAULT_APP, topic);
    expect(await log.ticking(DEFAULT_APP, topic)).toBeUndefined();
    expect(await log.readTick(DEFAULT_APP, topic, place)).toBeUndefined();
    expect(await log.claimTick(DEFAULT_APP, topic, page, aWakeUp(harness()))).toBe(false);
    expect(await log.endTicks(DEFAULT_APP, topic, page)).toBe(false);
    const anew = (await tick(harness(), ["c"])).ticking;
    expect(anew.place).toEqual({ epoch: expect.not.stringContaining(place.epoch), seq: 0 });
    expect(await read(harness(), anew.place)).toMatchObject({ upTo: { seq: 1 }, gathered: [], isAll: true });
  });
}

function describeEnds(harness: () => TopicLogHarness): void {
  it("comes to its end where all is handed out, and begins anew with the next", async () => {
    const { log } = harness();
    const { ticking } = await tick(harness(), ["a"]);
    await gather(harness(), ["b"]);
    const page = await read(harness(), (await claim(harness(), ticking.place)).upTo);
    expect(page).toMatchObject({ numbered: [], gathered: [], isAll: true });
    expect(await log.endTicks(DEFAULT_APP, topic, page)).toBe(true);
    expect(await log.ticking(DEFAULT_APP, topic)).toBeUndefined();
    expect(await log.endTicks(DEFAULT_APP, topic, page)).toBe(false);
    await append(harness(), topic, ["without a tick"]);
    const anew = await tick(harness(), ["c"]);
    expect(anew.ticking).toMatchObject({ place: { seq: 2 }, wakeUp: { isSent: false } });
  });

  it.each([
    ["numbered", () => tick(harness(), ["new"])],
    ["ephemeral", () => gather(harness(), ["new"])],
  ])("does not end where something %s was counted in since the page was read", async (_, publish) => {
    const { log } = harness();
    const { ticking } = await tick(harness(), ["a"]);
    const page = await read(harness(), (await claim(harness(), ticking.place)).upTo);
    await publish();
    expect(await log.endTicks(DEFAULT_APP, topic, page)).toBe(false);
    expect(await log.ticking(DEFAULT_APP, topic)).toEqual(page.ticking);
  });

  it("does not end by a page whose wake-up was replaced", async () => {
    const { log } = harness();
    const { ticking } = await tick(harness(), ["a"]);
    const page = await read(harness(), (await claim(harness(), ticking.place)).upTo);
    expect(await log.replaceWakeUp(DEFAULT_APP, topic, wakeUpOf(page), aWakeUp(harness()))).toBe(true);
    expect(await log.endTicks(DEFAULT_APP, topic, page)).toBe(false);
    expect(await log.claimTick(DEFAULT_APP, topic, page, aWakeUp(harness()))).toBe(false);
  });

  it("stays exact for readers of history after many ticks", async () => {
    let { place } = (await tick(harness(), [0])).ticking;
    for (let i = 1; i < 30; i++) {
      await tick(harness(), [i]);
      place = (await claim(harness(), place)).upTo;
    }
    expect(await harness().log.place(DEFAULT_APP, topic)).toEqual({ ...place, seq: 30 });
    const page = await readSince(harness(), topic, { ...place, seq: 0 }, { retention: DEFAULT_RETENTION });
    expect(page).toMatchObject({ recovered: true, place: { seq: 30 } });
  });
}
