import { beforeEach, describe, expect, it } from "@jest/globals";
import { aConnection, anApplication, anApplicationKey, aTopic, type TestClock, testClock } from "@topicast/testing";
import { createMemoryAppStore } from "../src/drivers/app-store/memory.ts";
import { createMemoryConnectionStore } from "../src/drivers/connection-store/memory.ts";
import { createMovingAppStore } from "../src/drivers/moving/app-store.ts";
import { createMovingConnectionStore } from "../src/drivers/moving/connection-store.ts";
import { type Connection, type ConnectionStore, DEFAULT_APP } from "../src/index.ts";
import { withOrderedPages } from "./ordered-pages.ts";

describe("a connection that one store knows", () => {
  const topic = aTopic();
  let clock: TestClock;
  let one: ConnectionStore;
  let two: ConnectionStore;
  let both: ConnectionStore;

  beforeEach(() => {
    clock = testClock();
    one = withOrderedPages(createMemoryConnectionStore({ clock }));
    two = withOrderedPages(createMemoryConnectionStore({ clock }));
    both = createMovingConnectionStore({ stores: [one, two], owner: 0 });
  });

  function subscribe(store: ConnectionStore, connection: Connection) {
    const { validUntil } = connection;
    return store.subscribe({ app: DEFAULT_APP, topic, connection, validUntil, maxSubscriptions: 10 });
  }

  async function idsIn(store: ConnectionStore, limit = 10) {
    const ids: string[] = [];
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const at = cursor === undefined ? {} : { cursor };
      const page = await store.subscribers({ app: DEFAULT_APP, topic, limit, freshness: "fresh", ...at });
      ids.push(...page.subscribers.map(({ id }) => id));
      cursor = page.cursor;
    }
    return ids.sort();
  }

  it.each(["the first", "the second"])("is found, subscribes in both, and leaves both: %s", async (which) => {
    const connection = aConnection();
    await (which === "the first" ? one : two).connect(connection);
    expect(await both.get(DEFAULT_APP, connection.id, "fresh")).toEqual(connection);
    expect(await both.getMany(DEFAULT_APP, [connection.id])).toEqual([connection]);
    expect(await subscribe(both, connection)).toEqual({ status: "subscribed", from: connection.from });
    for (const store of [one, two, both]) expect(await idsIn(store)).toEqual([connection.id]);
    expect(await both.disconnect(DEFAULT_APP, connection.id)).toBe(true);
    for (const store of [one, two, both]) expect(await idsIn(store)).toEqual([]);
  });

  it("is on one page of two, once, whichever store has it", async () => {
    const connections = Array.from({ length: 30 }, () => aConnection());
    for (const [n, connection] of connections.entries()) {
      const store = [one, two, both][n % 3] as ConnectionStore;
      await store.connect(connection);
      await subscribe(store, connection);
    }
    const ids = connections.map(({ id }) => id).sort();
    for (const limit of [1, 2, 7, 30, 100]) expect(await idsIn(both, limit)).toEqual(ids);
  });

  it("goes on being walked by who knows one store, where who knows both began", async () => {
    const connections = Array.from({ length: 20 }, () => aConnection());
    for (const connection of connections) {
      await both.connect(connection);
      await subscribe(both, connection);
    }
    const query = { app: DEFAULT_APP, topic, freshness: "fresh" } as const;
    const first = await both.subscribers({ ...query, limit: 8 });
    const rest = await two.subscribers({ ...query, limit: 100, cursor: first.cursor as string });
    const found = [...first.subscribers, ...rest.subscribers].map(({ id }) => id);
    expect(found.sort()).toEqual(connections.map(({ id }) => id).sort());
  });

  it("stays subscribed where it subscribed again after a page told of it", async () => {
    const connection = aConnection();
    await both.connect(connection);
    await subscribe(both, connection);
    const query = { app: DEFAULT_APP, topic, limit: 10, freshness: "fresh" } as const;
    const [told] = (await both.subscribers(query)).subscribers;
    await clock.advance(5);
    await subscribe(both, connection);
    expect(told && (await both.endSubscription(DEFAULT_APP, topic, told))).toBe(false);
    for (const store of [one, two]) expect(await idsIn(store)).toEqual([connection.id]);
    const [newer] = (await both.subscribers(query)).subscribers;
    expect(newer && (await both.endSubscription(DEFAULT_APP, topic, newer))).toBe(true);
    for (const store of [one, two]) expect(await idsIn(store)).toEqual([]);
  });
});

describe("applications that move", () => {
  const clock = testClock();

  it("are alike in both stores once they were listed, as the first has them", async () => {
    const [old, next] = [createMemoryAppStore({ clock }), createMemoryAppStore({ clock })];
    const stepOne = createMovingAppStore({ stores: [old, next] });
    for (const name of ["a", "b", "c"])
      await old.create(anApplication({ name, keys: [anApplicationKey({ id: "k1" })] }));
    await stepOne.list({ limit: 2 });
    expect(await next.get("a")).toEqual(await old.get("a"));
    // By one who doesn't know the new store yet.
    await old.removeKey("a", "k1");
    await stepOne.list({ limit: 10 });
    for (const name of ["a", "b", "c"]) expect(await next.get(name)).toEqual(await old.get(name));
    expect((await next.get("a"))?.keys).toEqual([]);
    const stepTwo = createMovingAppStore({ stores: [next, old] });
    await stepTwo.remove("b");
    expect([await old.get("b"), await next.get("b")]).toEqual([undefined, undefined]);
  });
});
