import { expect, it } from "@jest/globals";
import { DEFAULT_APP } from "@topicast/core";
import {
  type ConnectionStoreHarness,
  endSubscription,
  findSubscriber,
  idsOf,
  join,
  joinMany,
  subscribe,
  subscribersOf,
} from "./connection-steps.ts";
import { anApp, aTopic } from "./factories.ts";

const topic = aTopic();

export function describeEndingSubscriptions(harness: () => ConnectionStoreHarness): void {
  describeEnded(harness);
  describeNewer(harness);
  describeMaximum(harness);
}

function describeEnded(harness: () => ConnectionStoreHarness): void {
  it("ends it and says whether there was one", async () => {
    const { store } = harness();
    const { id } = await join(harness(), { room: topic });
    const subscriber = await findSubscriber(harness(), topic, id);
    expect(await store.endSubscription(DEFAULT_APP, topic, subscriber)).toBe(true);
    expect(await idsOf(store, { topic })).toEqual([]);
    expect(await store.endSubscription(DEFAULT_APP, topic, subscriber)).toBe(false);
  });

  it("says that there was none of one who left", async () => {
    const { store } = harness();
    const { app, id } = await join(harness(), { room: topic });
    const subscriber = await findSubscriber(harness(), topic, id);
    await store.unsubscribe(app, topic, id);
    expect(await store.endSubscription(app, topic, subscriber)).toBe(false);
  });

  it("leaves the connection, its other topics and everyone else", async () => {
    const { store } = harness();
    const connection = await join(harness(), { room: topic });
    await subscribe(harness(), connection, aTopic("b"));
    const others = await joinMany(harness(), topic, 10);
    const namesake = await join(harness(), { app: anApp("other"), id: connection.id, room: topic });
    await endSubscription(harness(), topic, connection.id);
    expect(await idsOf(store, { topic })).toEqual(others.map(({ id }) => id).sort());
    expect(await idsOf(store, { topic, app: namesake.app })).toEqual([namesake.id]);
    expect(await idsOf(store, { topic: aTopic("b") })).toEqual([connection.id]);
    expect(await store.get(connection.app, connection.id, "fresh")).toEqual(connection);
  });

  it("lets the connection unsubscribe, and then counts the topic no more", async () => {
    const { store } = harness();
    const connection = await join(harness());
    await subscribe(harness(), connection, topic);
    await endSubscription(harness(), topic, connection.id);
    await store.unsubscribe(connection.app, topic, connection.id);
    expect(await idsOf(store, { topic })).toEqual([]);
    const max = { maxSubscriptions: 1 };
    expect(await subscribe(harness(), connection, aTopic("b"), max)).toMatchObject({ status: "subscribed" });
  });

  it("lets the connection go", async () => {
    const { store } = harness();
    const connection = await join(harness(), { room: topic });
    await subscribe(harness(), connection, aTopic("b"));
    await endSubscription(harness(), topic, connection.id);
    await store.disconnect(connection.app, connection.id);
    expect(await store.get(connection.app, connection.id, "fresh")).toBeUndefined();
    for (const each of [topic, aTopic("b")]) expect(await idsOf(store, { topic: each })).toEqual([]);
  });
}

function describeNewer(harness: () => ConnectionStoreHarness): void {
  it("leaves a subscription that is newer than the page", async () => {
    const { store, clock } = harness();
    const connection = await join(harness(), { room: topic });
    const subscriber = await findSubscriber(harness(), topic, connection.id);
    await clock.advance(1);
    await subscribe(harness(), connection, topic);
    expect(await store.endSubscription(DEFAULT_APP, topic, subscriber)).toBe(false);
    expect(await subscribersOf(store, { topic })).toMatchObject([{ subscribedAt: clock.now() }]);
    expect(await endSubscription(harness(), topic, connection.id)).toBe(true);
    expect(await idsOf(store, { topic })).toEqual([]);
  });

  it("leaves that of a connection that left and came back", async () => {
    const { store, clock } = harness();
    const connection = await join(harness(), { room: topic });
    const subscriber = await findSubscriber(harness(), topic, connection.id);
    await store.unsubscribe(DEFAULT_APP, topic, connection.id);
    await clock.advance(1);
    await subscribe(harness(), connection, topic);
    expect(await store.endSubscription(DEFAULT_APP, topic, subscriber)).toBe(false);
    expect(await idsOf(store, { topic })).toEqual([connection.id]);
  });

  it("lets the connection subscribe again, also where it has as many topics as it may", async () => {
    const { store, clock } = harness();
    const connection = await join(harness());
    const max = { maxSubscriptions: 1 };
    await subscribe(harness(), connection, topic, max);
    await endSubscription(harness(), topic, connection.id);
    await clock.advance(1);
    expect(await subscribe(harness(), connection, topic, max)).toMatchObject({ status: "subscribed" });
    expect(await subscribersOf(store, { topic })).toMatchObject([{ id: connection.id, subscribedAt: clock.now() }]);
    await store.unsubscribe(DEFAULT_APP, topic, connection.id);
    expect(await idsOf(store, { topic })).toEqual([]);
  });
}

function describeMaximum(harness: () => ConnectionStoreHarness): void {
  const max = { maxSubscriptions: 3 };
  const others = [aTopic("b"), aTopic("c")];

  /** A connection that has as many topics as it may; the subscriptions to all but the first were ended some seconds ago. */
  async function joinFull() {
    const connection = await join(harness(), { room: topic });
    for (const each of others) await subscribe(harness(), connection, each, max);
    for (const each of others) await endSubscription(harness(), each, connection.id);
    await harness().clock.advance(15_000);
    return connection;
  }

  it("no longer counts them where the connection subscribes to as many others", async () => {
    const { store } = harness();
    const connection = await joinFull();
    for (const each of [aTopic("d"), aTopic("e")]) {
      expect(await subscribe(harness(), connection, each, max)).toMatchObject({ status: "subscribed" });
    }
    for (const each of [topic, aTopic("d"), aTopic("e")]) {
      expect(await idsOf(store, { topic: each })).toEqual([connection.id]);
    }
    const tooMany = { status: "too_many_subscriptions" };
    expect(await subscribe(harness(), connection, aTopic("f"), max)).toEqual(tooMany);
    await harness().clock.advance(15_000);
    expect(await subscribe(harness(), connection, aTopic("f"), max)).toEqual(tooMany);
    expect(await subscribe(harness(), connection, aTopic("e"), max)).toMatchObject({ status: "subscribed" });
    await store.disconnect(connection.app, connection.id);
    for (const each of [topic, aTopic("d"), aTopic("e")]) expect(await idsOf(store, { topic: each })).toEqual([]);
  });

  it("keeps to the maximum where the connection subscribes to many others at once", async () => {
    const { store } = harness();
    const connection = await joinFull();
    const topics = Array.from({ length: 6 }, (_, i) => aTopic(`other/${i}`));
    await Promise.all(topics.map((each) => subscribe(harness(), connection, each, max)));
    const held = [];
    for (const each of topics) held.push(...(await idsOf(store, { topic: each })));
    expect(held).toEqual([connection.id, connection.id]);
    await store.disconnect(connection.app, connection.id);
    for (const each of topics) expect(await idsOf(store, { topic: each })).toEqual([]);
  });

  it("makes room for one after the other, also where the last one is young", async () => {
    const connection = await joinFull();
    await harness().store.unsubscribe(connection.app, topic, connection.id);
    for (const each of [aTopic("d"), aTopic("e"), aTopic("f")]) {
      expect(await subscribe(harness(), connection, each, max)).toMatchObject({ status: "subscribed" });
    }
  });

  it("lets the connection have them again", async () => {
    const { store } = harness();
    const connection = await joinFull();
    for (const each of others) {
      expect(await subscribe(harness(), connection, each, max)).toMatchObject({ status: "subscribed" });
      expect(await store.unsubscribe(connection.app, each, connection.id)).toBe(true);
      expect(await idsOf(store, { topic: each })).toEqual([]);
    }
  });
}
