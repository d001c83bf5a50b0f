import { expect, it } from "@jest/globals";
import { type Connection, type ConnectionId, DEFAULT_APP, type Subscriber, type SubscriberPage } from "@topicast/core";
import {
  type ConnectionStoreHarness,
  endSubscription,
  idsOf,
  join,
  joinMany,
  pagesOf,
  sortedIds,
  subscribe,
} from "./connection-steps.ts";
import { aTopic } from "./factories.ts";

const topic = aTopic();

export function describeSubscriberPages(harness: () => ConnectionStoreHarness): void {
  describeStillTopics(harness);
  describeThoseWhoLeave(harness);
  describeThoseWhoStay(harness);
}

/** Walks through the topic and calls `change` after each page; whom the pages held. */
async function walk(
  { store, clock }: ConnectionStoreHarness,
  limit: number,
  change: (page: SubscriberPage) => Promise<void>,
): Promise<readonly Subscriber[]> {
  const pages = await pagesOf(store, {
    topic,
    limit,
    between: async (page) => {
      await change(page);
      // Time for a store to tidy up behind the cursor.
      await clock.advance(2_000);
    },
  });
  return pages.flatMap(({ subscribers }) => subscribers);
}

function describeStillTopics(harness: () => ConnectionStoreHarness): void {
  it("has one shard and nobody in a topic that no one joined", async () => {
    const query = { app: DEFAULT_APP, topic, limit: 10, freshness: "fresh" } as const;
    expect(await harness().store.subscribers(query)).toMatchObject({ subscribers: [], shards: 1 });
    expect(await idsOf(harness().store, { topic })).toEqual([]);
  });

  it.each([1, 4, 23, 100])("gives each subscriber once in pages of at most %i", async (limit) => {
    const connections = await joinMany(harness(), topic, 23);
    await joinMany(harness(), aTopic("b"), 7);
    const pages = await pagesOf(harness().store, { topic, limit });
    for (const { subscribers } of pages) expect(subscribers.length).toBeLessThanOrEqual(limit);
    expect(sortedIds(pages.flatMap(({ subscribers }) => subscribers))).toEqual(sortedIds(connections));
  });

  it("answers the same to the same cursor, as a job that comes twice asks", async () => {
    await joinMany(harness(), topic, 40);
    const query = { app: DEFAULT_APP, topic, limit: 3, freshness: "fresh" } as const;
    const { cursor } = await harness().store.subscribers(query);
    if (cursor === undefined) throw new Error("A page of three of 40 subscribers says that nobody follows.");
    const first = await harness().store.subscribers({ ...query, cursor });
    const again = await harness().store.subscribers({ ...query, cursor });
    expect(sortedIds(again.subscribers)).toEqual(sortedIds(first.subscribers));
  });
}

type Leave = (harness: ConnectionStoreHarness, id: ConnectionId) => Promise<unknown>;
const WAYS_TO_LEAVE: readonly (readonly [string, Leave])[] = [
  ["endSubscription", (harness, id) => endSubscription(harness, topic, id)],
  ["unsubscribe", ({ store }, id) => store.unsubscribe(DEFAULT_APP, topic, id)],
  ["disconnect", ({ store }, id) => store.disconnect(DEFAULT_APP, id)],
];

function describeThoseWhoLeave(harness: () => ConnectionStoreHarness): void {
  it.each(WAYS_TO_LEAVE)("misses nobody where those that a page ended with %s", async (_, leave) => {
    const connections = await joinMany(harness(), topic, 40);
    const seen = await walk(harness(), 3, async ({ subscribers }) => {
      const last = subscribers.at(-1);
      if (last !== undefined) await leave(harness(), last.id);
    });
    expect(sortedIds(seen)).toEqual(sortedIds(connections));
  });

  it.each(WAYS_TO_LEAVE)("misses nobody where all that were seen %s", async (_, leave) => {
    const connections = await joinMany(harness(), topic, 100);
    const seen = await walk(harness(), 7, async ({ subscribers }) => {
      for (const { id } of subscribers) await leave(harness(), id);
    });
    expect(sortedIds(seen)).toEqual(sortedIds(connections));
  });

  it("doesn't give those who left before their page was read", async () => {
    const connections = await joinMany(harness(), topic, 20);
    let left: readonly Connection[] = [];
    const seen = await walk(harness(), 5, async ({ subscribers }) => {
      if (left.length > 0) return;
      left = connections.filter(({ id }) => subscribers.every((subscriber) => subscriber.id !== id)).slice(0, 10);
      for (const { id } of left) await harness().store.unsubscribe(DEFAULT_APP, topic, id);
    });
    expect(left).toHaveLength(10);
    expect(sortedIds([...seen, ...left])).toEqual(sortedIds(connections));
  });
}

function describeThoseWhoStay(harness: () => ConnectionStoreHarness): void {
  it("gives everyone who stays, whoever else comes, goes or comes again", async () => {
    const all = await joinMany(harness(), topic, 90);
    const stayers = all.filter((_, i) => i % 3 === 0);
    const leavers = all.filter((_, i) => i % 3 === 1);
    const returners = all.filter((_, i) => i % 3 === 2);
    const seen = await walk(harness(), 5, async () => {
      const [leaver, returner] = [leavers.pop(), returners.shift()];
      if (leaver === undefined || returner === undefined) return;
      await harness().store.disconnect(DEFAULT_APP, leaver.id);
      await harness().store.unsubscribe(DEFAULT_APP, topic, returner.id);
      await subscribe(harness(), returner, topic);
      await join(harness(), { room: topic });
    });
    const seenIds = new Set(seen.map(({ id }) => id));
    expect(stayers.filter(({ id }) => !seenIds.has(id))).toEqual([]);
  });

  it("gives everyone who stays and subscribes again meanwhile", async () => {
    const connections = await joinMany(harness(), topic, 30);
    const again = [...connections];
    const seen = await walk(harness(), 4, async () => {
      for (const connection of again.splice(0, 3)) await subscribe(harness(), connection, topic);
    });
    expect([...new Set(sortedIds(seen))]).toEqual(sortedIds(connections));
  });

  it("comes to an end, and gives everyone, where all subscribe again between any two pages", async () => {
    const connections = await joinMany(harness(), topic, 12);
    const seen = await walk(harness(), 3, async () => {
      await Promise.all(connections.map((connection) => subscribe(harness(), connection, topic)));
    });
    expect([...new Set(sortedIds(seen))]).toEqual(sortedIds(connections));
  });
}
