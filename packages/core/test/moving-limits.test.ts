import { describe, expect, it } from "@jest/globals";
import { aConnection, anApp, aTopic, testClock } from "@topicast/testing";
import { createMemoryConnectionStore } from "../src/drivers/connection-store/memory.ts";
import { createMovingConnectionStore } from "../src/drivers/moving/connection-store.ts";
import type { StoreIndex } from "../src/drivers/moving/topic-owner.ts";
import { withOrderedPages } from "./ordered-pages.ts";

const app = anApp("game");

/** What processes of a step have that knows both stores, and what its neighbours have, who know its owner alone. */
function aStep(owner: StoreIndex) {
  const clock = testClock();
  const store = () => withOrderedPages(createMemoryConnectionStore({ clock }));
  const stores = [store(), store()] as const;
  const [alone, other] = owner === 0 ? stores : stores.toReversed();
  return { both: createMovingConnectionStore({ stores, owner }), alone: alone as Store, other: other as Store };
}

type Store = ReturnType<typeof withOrderedPages>;

function subscribe(store: Store, connection: ReturnType<typeof aConnection>, name: string, maxSubscriptions: number) {
  return store.subscribe({ app, topic: aTopic(name), connection, validUntil: connection.validUntil, maxSubscriptions });
}

async function idsIn(store: Store, name: string) {
  const page = await store.subscribers({ app, topic: aTopic(name), limit: 10, freshness: "fresh" });
  return page.subscribers.map(({ id }) => id);
}

describe.each<StoreIndex>([0, 1])("limits while the processes of a step and its neighbours run, owner %d", (owner) => {
  it("lets connections in where others left by a process that knows the owner alone", async () => {
    const { both, alone } = aStep(owner);
    const connections = Array.from({ length: 3 }, () => aConnection({ app }));
    for (const connection of connections) {
      expect(await both.connect(connection, 1)).toBe("connected");
      await alone.disconnect(app, connection.id);
    }
  });

  it("leaves nothing behind of a connection that the owner refuses", async () => {
    const { both, alone, other } = aStep(owner);
    await alone.connect(aConnection({ app }), 1);
    const refused = aConnection({ app, room: aTopic("room") });
    expect(await both.connect(refused, 1)).toBe("too_many_connections");
    for (const store of [alone, other]) {
      expect(await store.get(app, refused.id, "fresh")).toBeUndefined();
      expect(await idsIn(store, "room")).toEqual([]);
    }
  });

  it("counts a connection in both", async () => {
    const { both, alone, other } = aStep(owner);
    await both.connect(aConnection({ app }), 1);
    for (const store of [alone, other])
      expect(await store.connect(aConnection({ app }), 1)).toBe("too_many_connections");
  });

  it("subscribes a connection where it left other topics by a process that knows the owner alone", async () => {
    const { both, alone, other } = aStep(owner);
    const connection = aConnection({ app });
    await both.connect(connection);
    for (const name of ["a", "b", "c"]) {
      expect(await subscribe(both, connection, name, 1)).toMatchObject({ status: "subscribed" });
      await alone.unsubscribe(app, aTopic(name), connection.id);
    }
    expect(await subscribe(both, connection, "d", 1)).toMatchObject({ status: "subscribed" });
    for (const store of [alone, other]) expect(await idsIn(store, "d")).toEqual([connection.id]);
  });

  it("subscribes in neither store where the owner refuses it", async () => {
    const { both, alone, other } = aStep(owner);
    const connection = aConnection({ app });
    await both.connect(connection);
    await subscribe(both, connection, "a", 1);
    expect(await subscribe(both, connection, "b", 1)).toEqual({ status: "too_many_subscriptions" });
    for (const store of [alone, other]) expect(await idsIn(store, "b")).toEqual([]);
  });

  it("keeps a subscription that only the other store has when its repeat is refused by the owner", async () => {
    const { both, other, alone } = aStep(owner);
    const connection = aConnection({ app });
    await both.connect(connection);
    await subscribe(other, connection, "a", 1);
    await subscribe(alone, connection, "b", 1);
    expect(await subscribe(both, connection, "a", 1)).toEqual({ status: "too_many_subscriptions" });
    expect(await idsIn(other, "a")).toEqual([connection.id]);
  });
});
