import { describe, expect, it } from "@jest/globals";
import { type AppId, type ConnectionId, DEFAULT_APP } from "@topicast/core";
import { describeConnecting, describeDisconnecting } from "./connecting-contract.ts";
import {
  type ConnectionStoreHarness,
  endSubscription,
  expiredOf,
  idsOf,
  join,
  pagesOf,
  sortedIds,
  subscribe,
  subscribersOf,
} from "./connection-steps.ts";
import { describeEndingSubscriptions } from "./ending-subscriptions-contract.ts";
import { aConnection, aConnectionId, anApp, aTopic } from "./factories.ts";
import { useHarness } from "./harness.ts";
import { HOSTILE_NAMES, HOSTILE_TOPICS } from "./hostile.ts";
import { describeLimits } from "./limits-contract.ts";
import { describeShards } from "./shards-contract.ts";
import { describeSubscriberPages } from "./subscriber-pages-contract.ts";
import { describeSubscribing } from "./subscribing-contract.ts";
import { describeManyConnections, describeUsers } from "./users-contract.ts";

/** What every driver of `ConnectionStore` promises. Each call of `createHarness` begins with an empty store. */
export function describeConnectionStoreContract(
  name: string,
  createHarness: () => Promise<ConnectionStoreHarness>,
): void {
  describe(`${name} keeps the contract of ConnectionStore`, () => {
    const harness = useHarness(createHarness);
    describe("connect and get", () => describeConnecting(harness));
    describe("subscribe and unsubscribe", () => describeSubscribing(harness));
    describe("ending a subscription that a page told of", () => describeEndingSubscriptions(harness));
    describe("disconnect", () => describeDisconnecting(harness));
    describe("the most connections of an application", () => describeLimits(harness));
    describe("many connections at once", () => describeManyConnections(harness));
    describe("connections of a user", () => describeUsers(harness));
    describe("pages of subscribers", () => describeSubscriberPages(harness));
    describe("shards", () => describeShards(harness));
    describe("expiry", () => describeExpiry(harness));
    describe("freshness", () => describeFreshness(harness));
    describe("applications and names", () => describeApartness(harness));
  });
}

const topic = aTopic();

function describeExpiry(harness: () => ConnectionStoreHarness): void {
  it("no longer knows a connection after its time", async () => {
    const { store, clock } = harness();
    const connection = await join(harness(), { validUntil: clock.now() + 1_000, room: topic });
    await clock.advance(999);
    expect(await store.get(connection.app, connection.id, "fresh")).toEqual(connection);
    expect(await idsOf(store, { topic })).toEqual([connection.id]);
    await clock.advance(2);
    for (const freshness of ["fresh", "stale"] as const) {
      expect(await store.get(connection.app, connection.id, freshness)).toBeUndefined();
      expect(await idsOf(store, { topic, freshness })).toEqual([]);
    }
    const validUntil = clock.now() + 60_000;
    expect(await subscribe(harness(), connection, topic, { validUntil })).toEqual({ status: "unknown_connection" });
    expect(await idsOf(store, { topic })).toEqual([]);
  });

  it("ends a subscription before its connection", async () => {
    const { store, clock } = harness();
    const connection = await join(harness());
    const validUntil = clock.now() + 1_000;
    await subscribe(harness(), connection, topic, { validUntil });
    expect(await subscribersOf(store, { topic })).toMatchObject([{ id: connection.id, validUntil }]);
    await clock.advance(1_001);
    expect(await idsOf(store, { topic })).toEqual([]);
    expect(await store.get(connection.app, connection.id, "fresh")).toEqual(connection);
  });

  it("finds the valid ones behind and between many that are not", async () => {
    const { store, clock } = harness();
    const valid: ConnectionId[] = [];
    for (let i = 0; i < 30; i++) {
      const lifeMs = i % 10 === 9 ? 60_000 : 1_000;
      const { id } = await join(harness(), { validUntil: clock.now() + lifeMs, room: topic });
      if (lifeMs > 1_000) valid.push(id);
    }
    await clock.advance(1_001);
    const pages = await pagesOf(store, { topic, limit: 2 });
    expect(sortedIds(pages.flatMap(({ subscribers }) => subscribers))).toEqual(valid.sort());
    expect(pages.flatMap(({ expired }) => expired)).toHaveLength(27);
    for (const { subscribers, expired } of pages) expect(subscribers.length + expired.length).toBeLessThanOrEqual(2);
  });

  it("still tells of those that are no longer valid, until somebody removes them", async () => {
    const { store, clock } = harness();
    const validUntil = clock.now() + 1_000;
    const [one, two, three] = [
      await join(harness(), { validUntil, room: topic }),
      await join(harness(), { validUntil, room: topic }),
      await join(harness(), { validUntil, room: topic }),
    ];
    expect(await expiredOf(store, { topic })).toEqual([]);
    await clock.advance(1_000);
    const expired = await expiredOf(store, { topic });
    expect(sortedIds(expired)).toEqual(sortedIds([one, two, three]));
    const { id, address, connectedAt } = one;
    const subscribedAt = clock.now() - 1_000;
    expect(expired).toContainEqual({ id, address, connectedAt, validUntil, subscribedAt });
    await endSubscription(harness(), topic, one.id);
    expect(await store.disconnect(DEFAULT_APP, two.id)).toBe(true);
    await clock.advance(14 * 60_000);
    // Others come, and a store tidies up: still.
    for (let i = 0; i < 10; i++) await join(harness());
    expect(sortedIds(await expiredOf(store, { topic }))).toEqual([three.id]);
    expect(await store.disconnect(DEFAULT_APP, three.id)).toBe(true);
    expect(await expiredOf(store, { topic })).toEqual([]);
  });
}

function describeFreshness(harness: () => ConnectionStoreHarness): void {
  it("shows a fresh read every change that was acknowledged before", async () => {
    const { store } = harness();
    const connection = await join(harness());
    for (let round = 0; round < 5; round++) {
      await subscribe(harness(), connection, topic);
      // What it answers doesn't matter, only that no later fresh read answers from it.
      await idsOf(store, { topic, freshness: "stale" });
      expect(await idsOf(store, { topic })).toEqual([connection.id]);
      await store.unsubscribe(connection.app, topic, connection.id);
      expect(await idsOf(store, { topic })).toEqual([]);
    }
  });

  it("may miss something in a stale read, but invents nothing", async () => {
    const { store, clock } = harness();
    const connection = await join(harness(), { room: topic });
    const { id, app, address, connectedAt, validUntil } = connection;
    expect([undefined, connection]).toContainEqual(await store.get(app, id, "stale"));
    expect(await store.get(app, aConnectionId(), "stale")).toBeUndefined();
    for (const subscriber of await subscribersOf(store, { topic, freshness: "stale" })) {
      expect(subscriber).toEqual({ id, address, connectedAt, validUntil, subscribedAt: clock.now() });
    }
    expect(await idsOf(store, { topic: aTopic("b"), freshness: "stale" })).toEqual([]);
  });
}

function describeApartness(harness: () => ConnectionStoreHarness): void {
  it("keeps the same id and topic of two applications apart", async () => {
    const { store } = harness();
    const [one, two] = ["one", "two"].map(anApp) as [AppId, AppId];
    const mine = await join(harness(), { app: one, from: "mine", room: topic });
    const theirs = await join(harness(), { app: two, from: "theirs", id: mine.id });
    expect(await store.get(one, mine.id, "fresh")).toEqual(mine);
    expect(await store.get(two, mine.id, "fresh")).toEqual(theirs);
    expect(await idsOf(store, { topic, app: two })).toEqual([]);
    expect(await store.unsubscribe(two, topic, mine.id)).toBe(false);
    expect(await subscribe(harness(), theirs, topic, { maxSubscriptions: 1 })).toEqual({
      status: "subscribed",
      from: "theirs",
    });
    await store.disconnect(two, mine.id);
    expect(await store.get(one, mine.id, "fresh")).toEqual(mine);
    expect(await idsOf(store, { topic, app: one })).toEqual([mine.id]);
  });

  it("mixes no topics up, whatever their names", async () => {
    const { store } = harness();
    const joined = await Promise.all(HOSTILE_TOPICS.map((each) => join(harness(), { room: each })));
    const everywhere = await join(harness());
    for (const each of HOSTILE_TOPICS) await subscribe(harness(), everywhere, each);
    for (const [i, each] of HOSTILE_TOPICS.entries()) {
      const { id } = joined[i] as { id: ConnectionId };
      expect(await idsOf(store, { topic: each })).toEqual([id, everywhere.id].sort());
      expect(await store.unsubscribe(everywhere.app, each, everywhere.id)).toBe(true);
      expect(await idsOf(store, { topic: each })).toEqual([id]);
    }
  });

  it("mixes no connections up, whatever their ids", async () => {
    const { store } = harness();
    const ids = HOSTILE_NAMES as readonly string[] as readonly ConnectionId[];
    expect(await store.get(anApp("__proto__"), "constructor" as ConnectionId, "fresh")).toBeUndefined();
    const connections = ids.map((id) =>
      aConnection({ id, from: `from ${id}`, room: topic, connectedAt: harness().clock.now() }),
    );
    for (const connection of connections) await store.connect(connection);
    expect(await idsOf(store, { topic, limit: 3 })).toEqual(sortedIds(connections));
    for (const connection of connections) {
      expect(await store.get(connection.app, connection.id, "fresh")).toEqual(connection);
      await store.disconnect(connection.app, connection.id);
      expect(await store.get(connection.app, connection.id, "fresh")).toBeUndefined();
    }
    expect(await idsOf(store, { topic })).toEqual([]);
  });
}
