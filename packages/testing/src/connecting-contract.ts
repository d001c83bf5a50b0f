import { expect, it } from "@jest/globals";
import { type ConnectionStoreHarness, idsOf, join, subscribe, subscribersOf } from "./connection-steps.ts";
import { aConnectionId, aTopic } from "./factories.ts";

const topic = aTopic();

export function describeConnecting(harness: () => ConnectionStoreHarness): void {
  it("gives a connection back as it came, right after", async () => {
    const { store } = harness();
    const connection = await join(harness(), { from: "日本語 __proto__", address: "example.com/jam" });
    expect(await store.get(connection.app, connection.id, "fresh")).toEqual(connection);
    expect(await idsOf(store, { topic })).toEqual([]);
  });

  it("knows no connection that never came", async () => {
    const { app } = await join(harness());
    expect(await harness().store.get(app, aConnectionId(), "fresh")).toBeUndefined();
  });

  it("subscribes a connection to its room in the same step", async () => {
    const { store, clock } = harness();
    const connection = await join(harness(), { room: topic, connectedAt: clock.now() - 100 });
    const { id, address, connectedAt, validUntil } = connection;
    expect(await store.get(connection.app, id, "fresh")).toEqual(connection);
    const subscriber = { id, address, connectedAt, validUntil, subscribedAt: clock.now() };
    expect(await subscribersOf(store, { topic })).toEqual([subscriber]);
  });

  it("connects twice as once", async () => {
    const { store } = harness();
    const connection = await join(harness(), { room: topic });
    await store.connect(connection);
    expect(await store.get(connection.app, connection.id, "fresh")).toEqual(connection);
    expect(await idsOf(store, { topic })).toEqual([connection.id]);
    // Counted once, too: one more fits into two.
    expect(await subscribe(harness(), connection, aTopic("b"), { maxSubscriptions: 2 })).toMatchObject({
      status: "subscribed",
    });
  });

  it("keeps what a connection subscribed to where a repeated connect comes late", async () => {
    const { store } = harness();
    const connection = await join(harness(), { room: topic });
    await subscribe(harness(), connection, aTopic("b"));
    await store.connect(connection);
    expect(await idsOf(store, { topic: aTopic("b") })).toEqual([connection.id]);
    expect(await subscribe(harness(), connection, aTopic("c"), { maxSubscriptions: 2 })).toEqual({
      status: "too_many_subscriptions",
    });
    await store.disconnect(connection.app, connection.id);
    expect(await idsOf(store, { topic: aTopic("b") })).toEqual([]);
  });
}

export function describeDisconnecting(harness: () => ConnectionStoreHarness): void {
  it("forgets the connection and all its subscriptions, and nobody else's", async () => {
    const { store } = harness();
    const leaver = await join(harness(), { room: topic });
    const other = await join(harness(), { room: topic });
    // More than DynamoDB takes in one BatchWriteItem (25).
    const topics = Array.from({ length: 30 }, (_, i) => aTopic(`room/${i}`));
    for (const each of topics) await subscribe(harness(), leaver, each);
    await store.disconnect(leaver.app, leaver.id);
    expect(await store.get(leaver.app, leaver.id, "fresh")).toBeUndefined();
    expect(await store.get(other.app, other.id, "fresh")).toEqual(other);
    expect(await idsOf(store, { topic })).toEqual([other.id]);
    for (const each of topics.slice(2)) expect(await idsOf(store, { topic: each })).toEqual([]);
    expect(await store.unsubscribe(leaver.app, topic, leaver.id)).toBe(false);
    expect(await subscribe(harness(), leaver, topic)).toEqual({ status: "unknown_connection" });
  });

  it("disconnects twice as once, and an unknown connection without a fault", async () => {
    const { store } = harness();
    const { app, id } = await join(harness(), { room: topic });
    const other = await join(harness(), { room: topic });
    await store.disconnect(app, id);
    await store.disconnect(app, id);
    await store.disconnect(app, aConnectionId());
    expect(await idsOf(store, { topic })).toEqual([other.id]);
  });

  it("gives nothing of before to a connection of the same id", async () => {
    const { store } = harness();
    const connection = await join(harness(), { room: topic });
    await subscribe(harness(), connection, aTopic("b"));
    await store.disconnect(connection.app, connection.id);
    const { room: _, ...roomless } = connection;
    await store.connect(roomless);
    expect(await store.get(connection.app, connection.id, "fresh")).toStrictEqual(roomless);
    for (const each of [topic, aTopic("b")]) expect(await idsOf(store, { topic: each })).toEqual([]);
    expect(await subscribe(harness(), roomless, aTopic("c"), { maxSubscriptions: 1 })).toMatchObject({
      status: "subscribed",
    });
  });
}
