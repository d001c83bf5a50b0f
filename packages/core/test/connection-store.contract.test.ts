import { describe, expect, it } from "@jest/globals";
import { aConnection, aTopic, describeConnectionStoreContract, testClock } from "@topicast/testing";
import { createMemoryConnectionStore } from "../src/drivers/connection-store/memory.ts";
import type { ConnectionStore, Freshness } from "../src/index.ts";

describeConnectionStoreContract("memory", async () => {
  const clock = testClock();
  return { store: createMemoryConnectionStore({ clock }), clock, close: async () => {} };
});

it("memory ends no subscription that is newer than a page, though both are of one millisecond", async () => {
  const store = createMemoryConnectionStore({ clock: testClock() });
  const topic = aTopic();
  const connection = aConnection({ room: topic });
  const { app, validUntil } = connection;
  const query = { app, topic, limit: 10, freshness: "fresh" } as const;
  await store.connect(connection);
  const [older] = (await store.subscribers(query)).subscribers;
  await store.subscribe({ app, topic, connection, validUntil, maxSubscriptions: 10 });
  expect(older && (await store.endSubscription(app, topic, older))).toBe(false);
  expect((await store.subscribers(query)).subscribers).toHaveLength(1);
});

/** A read that forgot to ask for fresh must show in tests: the emulators of DynamoDB never answer stale. */
describe("memory answers a stale read with what was there before", () => {
  const topic = aTopic();
  const connection = aConnection();
  const inRoom = { ...connection, room: topic };
  const { app, id, validUntil } = connection;

  async function create() {
    const clock = testClock();
    const store = createMemoryConnectionStore({ clock });
    await clock.advance(10_000);
    return { clock, store };
  }

  function get(store: ConnectionStore, freshness: Freshness) {
    return store.get(app, id, freshness);
  }

  async function subscribers(store: ConnectionStore, freshness: Freshness) {
    const page = await store.subscribers({ app, topic, limit: 10, freshness });
    return page.subscribers.map((subscriber) => subscriber.id);
  }

  it("misses a new connection and its topic for one second", async () => {
    const { clock, store } = await create();
    await store.connect(inRoom);
    expect([await get(store, "stale"), await subscribers(store, "stale")]).toEqual([undefined, []]);
    expect([await get(store, "fresh"), await subscribers(store, "fresh")]).toEqual([inRoom, [id]]);
    await clock.advance(999);
    expect([await get(store, "stale"), await subscribers(store, "stale")]).toEqual([undefined, []]);
    await clock.advance(2);
    expect([await get(store, "stale"), await subscribers(store, "stale")]).toEqual([inRoom, [id]]);
  });

  it("misses a new subscription for one second", async () => {
    const { clock, store } = await create();
    await store.connect(connection);
    await clock.advance(5_000);
    await store.subscribe({ app, topic, connection, validUntil, maxSubscriptions: 10 });
    expect(await subscribers(store, "stale")).toEqual([]);
    expect(await subscribers(store, "fresh")).toEqual([id]);
    await clock.advance(1_001);
    expect(await subscribers(store, "stale")).toEqual([id]);
  });

  it("still has the older time of one that subscribed again for one second, at the same place", async () => {
    const { clock, store } = await create();
    await store.connect(inRoom);
    await clock.advance(5_000);
    const subscribedAt = clock.now() - 5_000;
    await store.subscribe({ app, topic, connection, validUntil, maxSubscriptions: 10 });
    const query = { app, topic, limit: 10 };
    const timesOf = async (freshness: Freshness) =>
      (await store.subscribers({ ...query, freshness })).subscribers.map((subscriber) => subscriber.subscribedAt);
    expect([await timesOf("stale"), await timesOf("fresh")]).toEqual([[subscribedAt], [subscribedAt + 5_000]]);
    await clock.advance(1_001);
    expect(await timesOf("stale")).toEqual([subscribedAt + 5_000]);
  });

  it("still has an ended subscription for one second", async () => {
    const { clock, store } = await create();
    await store.connect(inRoom);
    await clock.advance(5_000);
    await store.unsubscribe(app, topic, id);
    expect(await subscribers(store, "stale")).toEqual([id]);
    expect(await subscribers(store, "fresh")).toEqual([]);
    await clock.advance(1_001);
    expect(await subscribers(store, "stale")).toEqual([]);
  });

  it("still has a closed connection for one second", async () => {
    const { clock, store } = await create();
    await store.connect(inRoom);
    await clock.advance(5_000);
    await store.disconnect(app, id);
    expect([await get(store, "stale"), await subscribers(store, "stale")]).toEqual([inRoom, [id]]);
    expect([await get(store, "fresh"), await subscribers(store, "fresh")]).toEqual([undefined, []]);
    await clock.advance(1_001);
    expect([await get(store, "stale"), await subscribers(store, "stale")]).toEqual([undefined, []]);
  });
});
