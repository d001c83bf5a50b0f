import { expect, it } from "@jest/globals";
import { type Connection, DEFAULT_APP, MAX_SHARDS, type Shard } from "@topicast/core";
import {
  type ConnectionStoreHarness,
  endSubscription,
  idsOf,
  join,
  joinMany,
  pagesOf,
  shardsOf,
  sortedIds,
  subscribe,
} from "./connection-steps.ts";
import { aConnection, anApp, aTopic } from "./factories.ts";

const topic = aTopic();

export function describeShards(harness: () => ConnectionStoreHarness): void {
  describeParts(harness);
  describeMembers(harness);
  describeNumber(harness);
}

function shards(of: number): readonly Shard[] {
  return Array.from({ length: of }, (_, index) => ({ index, of }));
}

/** The ids of each shard. */
async function idsOfEach({ store }: ConnectionStoreHarness, of: number, limit = 100) {
  const all = [];
  for (const shard of shards(of)) all.push(await idsOf(store, { topic, shard, limit }));
  return all;
}

function describeParts(harness: () => ConnectionStoreHarness): void {
  it.each([
    [1, 100],
    [2, 3],
    [8, 3],
    [8, 100],
    [MAX_SHARDS, 100],
  ])("have each subscriber once: %i shards, pages of %i", async (of, limit) => {
    const connections = await joinMany(harness(), topic, 60);
    await joinMany(harness(), aTopic("b"), 5);
    expect((await idsOfEach(harness(), of, limit)).flat().sort()).toEqual(sortedIds(connections));
  });

  it("are of about one size", async () => {
    await joinMany(harness(), topic, 200);
    for (const { length } of await idsOfEach(harness(), 4)) {
      expect(length).toBeGreaterThan(25);
      expect(length).toBeLessThan(80);
    }
  });

  it("are the parts of those of half as many", async () => {
    await joinMany(harness(), topic, 60);
    const quarters = await idsOfEach(harness(), 4);
    const halves = await idsOfEach(harness(), 2);
    for (const [index, half] of halves.entries()) {
      expect(
        quarters
          .slice(2 * index, 2 * index + 2)
          .flat()
          .sort(),
      ).toEqual(half);
    }
  });

  it("keep to the limit of a page, and say nothing of how many they are", async () => {
    await joinMany(harness(), topic, 60);
    for (const shard of shards(2)) {
      for (const page of await pagesOf(harness().store, { topic, shard, limit: 4 })) {
        expect(page.subscribers.length).toBeLessThanOrEqual(4);
        expect(page.shards).toBeUndefined();
      }
    }
  });
}

function describeMembers(harness: () => ConnectionStoreHarness): void {
  it("have who subscribes while their number changes, in each walk that begins later, of whatever number", async () => {
    const connections: Connection[] = [];
    for (const [from, to] of [
      [1, 8],
      [8, 4],
      [4, 1],
    ] as const) {
      const [, joined] = await Promise.all([
        harness().store.setShards(DEFAULT_APP, topic, { from, to }),
        joinMany(harness(), topic, 8),
      ]);
      connections.push(...joined);
      for (const count of [1, 2, 4, 8]) {
        expect((await idsOfEach(harness(), count)).flat().sort()).toEqual(sortedIds(connections));
      }
    }
  });

  it.each<readonly [string, (harness: ConnectionStoreHarness, connection: Connection) => Promise<unknown>]>([
    ["unsubscribe", ({ store }, { app, id }) => store.unsubscribe(app, topic, id)],
    ["disconnect", ({ store }, { app, id }) => store.disconnect(app, id)],
    ["have their subscription ended", (each, { id }) => endSubscription(each, topic, id)],
  ])("no longer have those that %s, and have the others", async (_, leave) => {
    const connections = await joinMany(harness(), topic, 12);
    await harness().store.setShards(DEFAULT_APP, topic, { from: 1, to: 4 });
    const leavers = connections.slice(0, 6);
    for (const connection of leavers) await leave(harness(), connection);
    expect((await idsOfEach(harness(), 4)).flat().sort()).toEqual(sortedIds(connections.slice(6)));
  });

  it("have who subscribes again where they had it", async () => {
    const connections = await joinMany(harness(), topic, 12);
    const before = await idsOfEach(harness(), 4);
    await harness().store.setShards(DEFAULT_APP, topic, { from: 1, to: 4 });
    for (const connection of connections) await subscribe(harness(), connection, topic);
    expect(await idsOfEach(harness(), 4)).toEqual(before);
  });

  it("have everyone who stays, where each of a page leaves before the next is read", async () => {
    const connections = await joinMany(harness(), topic, 40);
    const seen = [];
    for (const shard of shards(2)) {
      const pages = await pagesOf(harness().store, {
        topic,
        shard,
        limit: 3,
        between: async ({ subscribers }) => {
          for (const { id } of subscribers) await harness().store.disconnect(DEFAULT_APP, id);
          await harness().clock.advance(2_000);
        },
      });
      seen.push(...pages.flatMap(({ subscribers }) => subscribers));
    }
    expect(sortedIds(seen)).toEqual(sortedIds(connections));
  });
}

function describeNumber(harness: () => ConnectionStoreHarness): void {
  const set = (from: number, to: number) => harness().store.setShards(DEFAULT_APP, topic, { from, to });

  it("is one, and then what was said last by those who knew it", async () => {
    await join(harness(), { room: topic });
    expect(await shardsOf(harness(), topic)).toBe(1);
    for (const [from, to, becomes] of [
      [2, 4, 1],
      [1, 8, 8],
      [1, 2, 8],
      [4, 8, 8],
      [8, 4, 4],
      [4, 1, 1],
      [1, MAX_SHARDS, MAX_SHARDS],
    ] as const) {
      await set(from, to);
      expect(await shardsOf(harness(), topic)).toBe(becomes);
    }
  });

  it("is doubled once where many ask for it at once", async () => {
    await joinMany(harness(), topic, 5);
    await Promise.all(Array.from({ length: 8 }, () => set(1, 2)));
    await Promise.all(Array.from({ length: 8 }, () => set(2, 4)));
    expect(await shardsOf(harness(), topic)).toBe(4);
  });

  it("is a topic's own", async () => {
    const other = aConnection({ app: anApp("other"), room: topic, connectedAt: harness().clock.now() });
    await harness().store.connect(other);
    for (const room of [topic, aTopic("b")]) await join(harness(), { room });
    await set(1, 4);
    expect(await shardsOf(harness(), aTopic("b"))).toBe(1);
    const query = { app: other.app, topic, limit: 10, freshness: "fresh" } as const;
    expect(await harness().store.subscribers(query)).toMatchObject({ shards: 1, subscribers: [{ id: other.id }] });
  });

  it("is in the first page of a walk only, and takes nobody's place in a walk", async () => {
    const connections = await joinMany(harness(), topic, 10);
    await set(1, 2);
    for (const limit of [1, 2, 10, 11]) {
      const pages = await pagesOf(harness().store, { topic, limit });
      expect(pages.map((page) => page.shards)).toEqual([2, ...pages.slice(1).map(() => undefined)]);
      expect(sortedIds(pages.flatMap(({ subscribers }) => subscribers))).toEqual(sortedIds(connections));
    }
  });
}
