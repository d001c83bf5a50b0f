import { expect, it } from "@jest/globals";
import { CONNECTION_VALID_MS, type Connection, DEFAULT_APP } from "@topicast/core";
import { type ConnectionStoreHarness, idsOf, join } from "./connection-steps.ts";
import { aConnection, anApp, aTopic } from "./factories.ts";
import { fewAtATime } from "./few-at-a-time.ts";

const MINUTE_MS = 60_000;
const topic = aTopic();

export function describeLimits(harness: () => ConnectionStoreHarness): void {
  describeRefusing(harness);
  describeGivingBack(harness);
  describeManyAtOnce(harness);
}

function aNewcomer({ clock }: ConnectionStoreHarness, overrides: Partial<Connection> = {}): Connection {
  return aConnection({ connectedAt: clock.now(), from: "alice", ...overrides });
}

/** One that is let in where its application has fewer than `max`. */
async function joinLimited(harness: ConnectionStoreHarness, max: number, overrides: Partial<Connection> = {}) {
  const connection = aNewcomer(harness, overrides);
  expect(await harness.store.connect(connection, max)).toBe("connected");
  return connection;
}

async function expectFull(harness: ConnectionStoreHarness, max: number): Promise<void> {
  expect(await harness.store.connect(aNewcomer(harness), max)).toBe("too_many_connections");
}

function describeRefusing(harness: () => ConnectionStoreHarness): void {
  it("lets in as many as may, and says so", async () => {
    const { store } = harness();
    for (let i = 0; i < 3; i++) {
      const connection = await joinLimited(harness(), 3, { room: topic });
      expect(await store.get(DEFAULT_APP, connection.id, "fresh")).toEqual(connection);
    }
    await expectFull(harness(), 3);
    expect(await idsOf(store, { topic })).toHaveLength(3);
  });

  it("leaves nothing of one that it refuses", async () => {
    const { store } = harness();
    await joinLimited(harness(), 1, { from: "bob" });
    const refused = aNewcomer(harness(), { room: topic });
    expect(await store.connect(refused, 1)).toBe("too_many_connections");
    expect(await store.get(DEFAULT_APP, refused.id, "fresh")).toBeUndefined();
    expect(await idsOf(store, { topic })).toEqual([]);
    expect((await store.connectionsOf(DEFAULT_APP, "alice", { limit: 9 })).connections).toEqual([]);
    // It took no place, either.
    expect(await store.disconnect(DEFAULT_APP, refused.id)).toBe(false);
    await joinLimited(harness(), 2);
  });

  it("lets in nobody where none may come", async () => {
    await expectFull(harness(), 0);
  });

  it("goes by the limit that each connect is given", async () => {
    await joinLimited(harness(), 1);
    await joinLimited(harness(), 2);
    await expectFull(harness(), 1);
    await joinLimited(harness(), 3);
  });

  it("counts each application for itself", async () => {
    for (const app of ["one", "two", "one~2"].map(anApp)) await joinLimited(harness(), 1, { app });
    await expectFull(harness(), 0);
    await joinLimited(harness(), 1);
  });

  it("counts a connection once that connects again, also where no other may come", async () => {
    const { store } = harness();
    const connection = await joinLimited(harness(), 2);
    for (let i = 0; i < 3; i++) expect(await store.connect(connection, 2)).toBe("connected");
    await joinLimited(harness(), 2);
    expect(await store.connect(connection, 2)).toBe("connected");
    await expectFull(harness(), 2);
    await store.disconnect(DEFAULT_APP, connection.id);
    await joinLimited(harness(), 2);
    await expectFull(harness(), 2);
  });
}

function describeGivingBack(harness: () => ConnectionStoreHarness): void {
  it("gives a place back once, however often a connection leaves", async () => {
    const { store } = harness();
    const [one] = [await joinLimited(harness(), 2), await joinLimited(harness(), 2)];
    for (let i = 0; i < 3; i++) await store.disconnect(DEFAULT_APP, one.id);
    await joinLimited(harness(), 2);
    await expectFull(harness(), 2);
  });

  it("neither counts nor gives back those that came without a limit", async () => {
    const { store } = harness();
    const uncounted = [await join(harness()), await join(harness())];
    await joinLimited(harness(), 1);
    for (const { id } of uncounted) await store.disconnect(DEFAULT_APP, id);
    await expectFull(harness(), 1);
  });

  it("gives back what was counted where there is no limit any more", async () => {
    const { store } = harness();
    const connection = await joinLimited(harness(), 1);
    await join(harness());
    await store.disconnect(DEFAULT_APP, connection.id);
    await joinLimited(harness(), 1);
  });

  it("gives back the place of one whose token is over, when it is ended", async () => {
    const { store, clock } = harness();
    const { id } = await joinLimited(harness(), 1, { validUntil: clock.now() + 1_000 });
    await clock.advance(1_000);
    expect(await store.disconnect(DEFAULT_APP, id)).toBe(true);
    await joinLimited(harness(), 1);
  });

  it("forgets those that never left, once they can't be alive", async () => {
    const { store, clock } = harness();
    const lost = await joinLimited(harness(), 2);
    await clock.advance(30 * MINUTE_MS);
    const later = await joinLimited(harness(), 2);
    await clock.advance(CONNECTION_VALID_MS - 31 * MINUTE_MS);
    await expectFull(harness(), 2);
    await clock.advance(11 * MINUTE_MS);
    await joinLimited(harness(), 2);
    await expectFull(harness(), 2);
    // What is no longer counted gives nothing back.
    await store.disconnect(DEFAULT_APP, lost.id);
    await expectFull(harness(), 2);
    await store.disconnect(DEFAULT_APP, later.id);
    await joinLimited(harness(), 2);
  });

  it("counts right over many hours in which somebody is always there", async () => {
    const { store, clock } = harness();
    let last = await joinLimited(harness(), 2);
    for (let i = 1; i <= 24; i++) {
      await clock.advance(11 * MINUTE_MS);
      const next = await joinLimited(harness(), 2);
      if (i % 8 === 0) await expectFull(harness(), 2);
      await store.disconnect(DEFAULT_APP, last.id);
      last = next;
    }
  });
}

function describeManyAtOnce(harness: () => ConnectionStoreHarness): void {
  it("lets in exactly 10 of 100 that come at once", async () => {
    const { store } = harness();
    const all = Array.from({ length: 100 }, () => aNewcomer(harness(), { room: topic }));
    const outcomes = await fewAtATime(all, (connection) => store.connect(connection, 10));
    expect(outcomes.filter((outcome) => outcome === "connected")).toHaveLength(10);
    const inside = all.filter((_, i) => outcomes[i] === "connected").map(({ id }) => id);
    expect(await idsOf(store, { topic })).toEqual(inside.sort());
  });

  it("lets in exactly as many again where as many left at once", async () => {
    const { store } = harness();
    const all = await fewAtATime(Array(10).fill(10), (max: number) => joinLimited(harness(), max));
    await fewAtATime([...all, ...all], ({ id }) => store.disconnect(DEFAULT_APP, id));
    const outcomes = await fewAtATime(Array(30).fill(10), (max: number) => store.connect(aNewcomer(harness()), max));
    expect(outcomes.filter((outcome) => outcome === "connected")).toHaveLength(10);
  });

  it("makes room once for those that can't be alive, however many come then", async () => {
    const { store, clock } = harness();
    for (let i = 0; i < 5; i++) await joinLimited(harness(), 5);
    await clock.advance(CONNECTION_VALID_MS + 10 * MINUTE_MS);
    const outcomes = await fewAtATime(Array(20).fill(5), (max: number) => store.connect(aNewcomer(harness()), max));
    expect(outcomes.filter((outcome) => outcome === "connected")).toHaveLength(5);
  });
}
