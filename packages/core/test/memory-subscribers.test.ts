import { beforeEach, describe, expect, it } from "@jest/globals";
import { aConnectionId } from "@topicast/testing";
import { createSubscriberList, type SubscriberList } from "../src/drivers/connection-store/memory-subscribers.ts";
import type { ConnectionId } from "../src/index.ts";

const STALE_MS = 1_000;
const NOW = 1_000_000;
const ENDS = NOW + 60_000;
const COUNT = 150;

/** Pages of a long list are kept: each test reads them before and after a change. */
describe("the pages of a long list", () => {
  let list: SubscriberList;
  let ids: ConnectionId[];

  beforeEach(() => {
    list = createSubscriberList(STALE_MS);
    ids = Array.from({ length: COUNT }, () => aConnectionId());
    for (const id of ids) add(id);
  });

  function add(id: ConnectionId, validUntil = ENDS, now = NOW): void {
    list.add({ id, address: "", connectedAt: NOW, validUntil }, now);
  }

  /** All pages of `limit` each: who is valid and who isn't. */
  function walk(limit: number, now = NOW) {
    const subscribers: ConnectionId[] = [];
    const expired: ConnectionId[] = [];
    let cursor: string | undefined;
    do {
      const page = list.page({ ...(cursor !== undefined && { cursor }), limit, freshness: "fresh", now });
      subscribers.push(...page.subscribers.map(({ id }) => id));
      expired.push(...page.expired.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return { subscribers, expired };
  }

  it.each([100, 1_000])("are the same lists while nothing changes, and hold all in order (%i each)", (limit) => {
    const query = { limit, freshness: "fresh", now: NOW } as const;
    expect(list.page(query).subscribers).toBe(list.page(query).subscribers);
    expect(walk(limit)).toEqual({ subscribers: ids, expired: [] });
    expect(walk(limit)).toEqual({ subscribers: ids, expired: [] });
  });

  it("have who came, and not who left", () => {
    walk(100);
    const late = aConnectionId();
    add(late);
    expect(walk(100).subscribers).toEqual([...ids, late]);
    list.remove(ids[3]!, NOW);
    expect(walk(100).subscribers).toEqual([...ids.filter((id) => id !== ids[3]), late]);
  });

  it("have the newer time of who subscribed again", () => {
    walk(100);
    add(ids[3]!, ENDS, NOW + 5);
    const { subscribers } = list.page({ limit: 100, freshness: "fresh", now: NOW + 5 });
    expect(subscribers[3]).toMatchObject({ id: ids[3], subscribedAt: NOW + 5 });
  });

  it("tell who expired, from the millisecond on", () => {
    const brief = aConnectionId();
    add(brief, NOW + 10);
    expect(walk(1_000, NOW + 9)).toEqual({ subscribers: [...ids, brief], expired: [] });
    expect(walk(1_000, NOW + 10)).toEqual({ subscribers: ids, expired: [brief] });
    expect(walk(1_000, ENDS)).toEqual({ subscribers: [], expired: [...ids, brief] });
  });

  it("are as long as asked for", () => {
    const lengthOf = (limit: number) => list.page({ limit, freshness: "fresh", now: NOW }).subscribers.length;
    expect([lengthOf(100), lengthOf(70), lengthOf(100)]).toEqual([100, 70, 100]);
  });

  it("that answer stale are as they were", () => {
    const query = { limit: 1_000, freshness: "stale" } as const;
    walk(1_000, NOW + STALE_MS);
    list.remove(ids[3]!, NOW + STALE_MS);
    expect(list.page({ ...query, now: NOW + STALE_MS }).subscribers).toHaveLength(COUNT);
    expect(list.page({ ...query, now: NOW + 2 * STALE_MS }).subscribers).toHaveLength(COUNT - 1);
  });
});
