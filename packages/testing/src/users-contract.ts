import { expect, it } from "@jest/globals";
import { type AppId, type ConnectionId, DEFAULT_APP, type Target } from "@topicast/core";
import { type ConnectionStoreHarness, join, sortedIds } from "./connection-steps.ts";
import { aConnectionId, anApp, aTopic } from "./factories.ts";
import { fewAtATime } from "./few-at-a-time.ts";
import { HOSTILE_NAMES } from "./hostile.ts";

interface Walk {
  readonly user: string;
  readonly app?: AppId;
  readonly limit?: number;
  /** Called after each page. */
  readonly between?: (page: readonly Target[]) => Promise<unknown>;
}

/** All connections that a user's pages hold. */
async function connectionsOf({ store }: ConnectionStoreHarness, walk: Walk): Promise<readonly Target[]> {
  const { user, app = DEFAULT_APP, limit = 100, between } = walk;
  const found: Target[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.connectionsOf(app, user, { limit, ...(cursor !== undefined && { cursor }) });
    expect(page.connections.length).toBeLessThanOrEqual(limit);
    found.push(...page.connections);
    await between?.(page.connections);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

function joinMany(harness: ConnectionStoreHarness, user: string, count: number) {
  return fewAtATime(Array(count).fill(user), (from) => join(harness, { from }));
}

export function describeUsers(harness: () => ConnectionStoreHarness): void {
  describeTheirConnections(harness);
  describeTheirPages(harness);
}

function describeTheirConnections(harness: () => ConnectionStoreHarness): void {
  it("has every connection of a user, as it came, and none of others", async () => {
    const { id, address, connectedAt } = await join(harness(), { from: "alice", address: "example.com/jam" });
    await join(harness(), { from: "bob", room: aTopic("alice") });
    expect(await connectionsOf(harness(), { user: "alice" })).toEqual([{ id, address, connectedAt }]);
    expect(await connectionsOf(harness(), { user: "carol" })).toEqual([]);
  });

  it("has no user of a connection that is nobody but itself", async () => {
    const id = aConnectionId();
    await join(harness(), { id, from: id });
    expect(await connectionsOf(harness(), { user: id })).toEqual([]);
    await harness().store.disconnect(DEFAULT_APP, id);
  });

  it("has a connection once that connected twice", async () => {
    const connection = await join(harness(), { from: "alice" });
    await harness().store.connect(connection);
    expect(sortedIds(await connectionsOf(harness(), { user: "alice", limit: 1 }))).toEqual([connection.id]);
  });

  it("has no connection that left, and those that stay", async () => {
    const leaver = await join(harness(), { from: "alice" });
    const stayer = await join(harness(), { from: "alice" });
    await harness().store.disconnect(DEFAULT_APP, leaver.id);
    expect(sortedIds(await connectionsOf(harness(), { user: "alice" }))).toEqual([stayer.id]);
    await harness().store.disconnect(DEFAULT_APP, stayer.id);
    expect(await connectionsOf(harness(), { user: "alice" })).toEqual([]);
  });

  it("has a connection no longer than it is valid", async () => {
    const { clock } = harness();
    const { id } = await join(harness(), { from: "alice", validUntil: clock.now() + 1_000 });
    await clock.advance(999);
    expect(sortedIds(await connectionsOf(harness(), { user: "alice" }))).toEqual([id]);
    await clock.advance(1);
    expect(await connectionsOf(harness(), { user: "alice" })).toEqual([]);
  });

  it("keeps users of any name apart, and those of two applications", async () => {
    const names = [...HOSTILE_NAMES, 'a","b', "*", "user one", "\u0000"];
    const apps = ["one", "two"].map(anApp);
    const ids = new Map<string, ConnectionId>();
    for (const app of apps) {
      for (const from of names) ids.set(JSON.stringify([app, from]), (await join(harness(), { app, from })).id);
    }
    for (const app of apps) {
      for (const user of names) {
        expect(sortedIds(await connectionsOf(harness(), { app, user }))).toEqual([
          ids.get(JSON.stringify([app, user])),
        ]);
      }
    }
  });
}

function describeTheirPages(harness: () => ConnectionStoreHarness): void {
  it.each([1, 4, 23, 100])("gives each connection once in pages of at most %i", async (limit) => {
    const connections = await joinMany(harness(), "alice", 23);
    expect(sortedIds(await connectionsOf(harness(), { user: "alice", limit }))).toEqual(sortedIds(connections));
  });

  it("misses nobody who stays where others come and go between pages", async () => {
    const connections = await joinMany(harness(), "alice", 40);
    let joined = 0;
    const seen = await connectionsOf(harness(), {
      user: "alice",
      limit: 3,
      between: async (page) => {
        // All of a page leave, as they do where a user is kicked.
        for (const { id } of page) await harness().store.disconnect(DEFAULT_APP, id);
        if (++joined < 20) await join(harness(), { from: "alice" });
        await harness().clock.advance(2_000);
      },
    });
    const seenIds = new Set(seen.map(({ id }) => id));
    expect(connections.filter(({ id }) => !seenIds.has(id))).toEqual([]);
  });

  it("finds the valid ones behind and between many that are not", async () => {
    const { clock } = harness();
    await Promise.all(
      Array.from({ length: 20 }, () => join(harness(), { from: "alice", validUntil: clock.now() + 1_000 })),
    );
    const valid = await joinMany(harness(), "alice", 3);
    await clock.advance(1_001);
    expect(sortedIds(await connectionsOf(harness(), { user: "alice", limit: 2 }))).toEqual(sortedIds(valid));
  });
}

export function describeManyConnections(harness: () => ConnectionStoreHarness): void {
  it("gives those that are known, as they came, each once", async () => {
    const [one, two] = [await join(harness(), { room: aTopic() }), await join(harness(), { from: "日本語" })];
    const ids = [one.id, aConnectionId(), two.id, one.id];
    const found = await harness().store.getMany(DEFAULT_APP, ids);
    expect([...found].sort((a, b) => a.id.localeCompare(b.id))).toEqual(
      [one, two].sort((a, b) => a.id.localeCompare(b.id)),
    );
  });

  it("gives nothing where nothing is asked for", async () => {
    await join(harness());
    expect(await harness().store.getMany(DEFAULT_APP, [])).toEqual([]);
  });

  it("gives more than one read of DynamoDB takes (100)", async () => {
    const connections = await joinMany(harness(), "alice", 120);
    const found = await harness().store.getMany(
      DEFAULT_APP,
      connections.map(({ id }) => id),
    );
    expect(sortedIds(found)).toEqual(sortedIds(connections));
  });

  it("leaves out who left, whose time is over, and another application's", async () => {
    const { store, clock } = harness();
    const left = await join(harness());
    const over = await join(harness(), { validUntil: clock.now() + 1_000 });
    const foreign = await join(harness(), { app: anApp("other") });
    const here = await join(harness());
    await store.disconnect(DEFAULT_APP, left.id);
    await clock.advance(1_000);
    const ids = [left, over, foreign, here].map(({ id }) => id);
    expect(await store.getMany(DEFAULT_APP, ids)).toEqual([here]);
  });
}
