import { expect, it } from "@jest/globals";
import { type ConnectionStoreHarness, idsOf, join, joinMany, subscribe, subscribersOf } from "./connection-steps.ts";
import { aConnection, aConnectionId, aTopic } from "./factories.ts";

const topic = aTopic();
const TOO_MANY = { status: "too_many_subscriptions" };

export function describeSubscribing(harness: () => ConnectionStoreHarness): void {
  describeMembership(harness);
  describeMaximum(harness);
}

function describeMembership(harness: () => ConnectionStoreHarness): void {
  it("subscribes a connection and says who it is", async () => {
    const { store, clock } = harness();
    const connection = await join(harness(), { from: "alice" });
    const { id, address, connectedAt } = connection;
    const validUntil = clock.now() + 60_000;
    expect(await subscribe(harness(), connection, topic, { validUntil })).toEqual({
      status: "subscribed",
      from: "alice",
    });
    expect(await subscribersOf(store, { topic })).toEqual([
      { id, address, connectedAt, validUntil, subscribedAt: clock.now() },
    ]);
  });

  it("subscribes no connection that it doesn't know", async () => {
    const { store, clock } = harness();
    const stranger = aConnection({ connectedAt: clock.now() });
    expect(await subscribe(harness(), stranger, topic)).toEqual({ status: "unknown_connection" });
    expect(await idsOf(store, { topic })).toEqual([]);
    expect(await store.get(stranger.app, stranger.id, "fresh")).toBeUndefined();
  });

  it("subscribes twice as once", async () => {
    const { store } = harness();
    await joinMany(harness(), topic, 5);
    const connection = await join(harness());
    await subscribe(harness(), connection, topic);
    await joinMany(harness(), topic, 5);
    expect(await subscribe(harness(), connection, topic)).toEqual({ status: "subscribed", from: connection.from });
    expect(await idsOf(store, { topic })).toHaveLength(11);
    expect(await store.unsubscribe(connection.app, topic, connection.id)).toBe(true);
    expect(await idsOf(store, { topic })).not.toContain(connection.id);
  });

  it("moves the time of a subscription on where the connection subscribes again", async () => {
    const { store, clock } = harness();
    const connection = await join(harness());
    await subscribe(harness(), connection, topic);
    await subscribe(harness(), connection, aTopic("b"));
    const first = clock.now();
    await clock.advance(5_000);
    await subscribe(harness(), connection, topic);
    expect(await subscribersOf(store, { topic })).toMatchObject([{ subscribedAt: first + 5_000 }]);
    expect(await subscribersOf(store, { topic: aTopic("b") })).toMatchObject([{ subscribedAt: first }]);
  });

  it("ends one subscription and says whether there was one", async () => {
    const { store } = harness();
    const [leaver, stayer] = [await join(harness(), { room: topic }), await join(harness(), { room: topic })];
    await subscribe(harness(), leaver, aTopic("b"));
    expect(await store.unsubscribe(leaver.app, topic, leaver.id)).toBe(true);
    expect(await idsOf(store, { topic })).toEqual([stayer.id]);
    expect(await idsOf(store, { topic: aTopic("b") })).toEqual([leaver.id]);
    expect(await store.unsubscribe(leaver.app, topic, leaver.id)).toBe(false);
    expect(await store.unsubscribe(leaver.app, aTopic("c"), leaver.id)).toBe(false);
    expect(await store.unsubscribe(leaver.app, topic, aConnectionId())).toBe(false);
    expect(await idsOf(store, { topic })).toEqual([stayer.id]);
  });
}

function describeMaximum(harness: () => ConnectionStoreHarness): void {
  it("refuses one topic too many, counting the one joined at connect", async () => {
    const connection = await join(harness(), { room: topic });
    const max = { maxSubscriptions: 2 };
    expect(await subscribe(harness(), connection, aTopic("b"), max)).toMatchObject({ status: "subscribed" });
    expect(await subscribe(harness(), connection, aTopic("c"), max)).toEqual(TOO_MANY);
    expect(await idsOf(harness().store, { topic: aTopic("c") })).toEqual([]);
    // A topic that it already has is not one more.
    expect(await subscribe(harness(), connection, aTopic("b"), max)).toMatchObject({ status: "subscribed" });
    const other = await join(harness(), { room: topic });
    expect(await subscribe(harness(), other, aTopic("c"), max)).toMatchObject({ status: "subscribed" });
  });

  it("counts a topic once, and no more after it was left once", async () => {
    const { store } = harness();
    const connection = await join(harness());
    const max = { maxSubscriptions: 2 };
    for (let i = 0; i < 3; i++) await subscribe(harness(), connection, topic, max);
    expect(await subscribe(harness(), connection, aTopic("b"), max)).toMatchObject({ status: "subscribed" });
    for (let i = 0; i < 3; i++) await store.unsubscribe(connection.app, topic, connection.id);
    expect(await subscribe(harness(), connection, aTopic("c"), max)).toMatchObject({ status: "subscribed" });
    expect(await subscribe(harness(), connection, aTopic("d"), max)).toEqual(TOO_MANY);
  });

  it("keeps to the maximum where subscriptions overlap", async () => {
    const connection = await join(harness());
    const topics = Array.from({ length: 10 }, (_, i) => aTopic(`room/${i}`));
    const max = { maxSubscriptions: 3 };
    const outcomes = await Promise.all(topics.map((each) => subscribe(harness(), connection, each, max)));
    const refused = outcomes.filter(({ status }) => status === "too_many_subscriptions");
    expect(refused).toHaveLength(7);
    for (const [i, each] of topics.entries()) {
      const isIn = outcomes[i]?.status === "subscribed";
      expect(await idsOf(harness().store, { topic: each })).toEqual(isIn ? [connection.id] : []);
    }
  });

  it("counts a topic once where two subscriptions to it overlap", async () => {
    const connection = await join(harness());
    const max = { maxSubscriptions: 2 };
    await Promise.all(Array.from({ length: 5 }, () => subscribe(harness(), connection, topic, max)));
    expect(await idsOf(harness().store, { topic })).toEqual([connection.id]);
    expect(await subscribe(harness(), connection, aTopic("b"), max)).toMatchObject({ status: "subscribed" });
  });
}
