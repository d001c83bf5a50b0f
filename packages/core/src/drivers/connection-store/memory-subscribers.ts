import type { ConnectionId, Subscriber } from "../../model.ts";
import type { Freshness } from "../../ports/connection-store.ts";

interface Entry {
  readonly subscriber: Subscriber;
  /** Ascends along the list: a cursor is the order of the last entry seen, so it outlives that entry. */
  readonly order: number;
  readonly addedAt: number;
  removedAt?: number;
}

export interface PageOfList {
  readonly subscribers: Subscriber[];
  readonly cursor?: string;
}

/** One shard of a topic: subscribers in the order in which they came, with those just removed, for reads that answer stale. */
export interface SubscriberList {
  /** Replaces the entry of the same connection. */
  add(subscriber: Subscriber, now: number): void;
  remove(id: ConnectionId, now: number): boolean;
  page(query: { cursor?: string; limit: number; freshness: Freshness; now: number }): PageOfList;
  readonly size: number;
}

export function createSubscriberList(staleMs: number): SubscriberList {
  let entries: Entry[] = [];
  const live = new Map<ConnectionId, Entry>();
  let lastOrder = 0;
  let compactedAt = 0;

  /** At most once while stale reads still need what was removed: so churn doesn't make each removal walk the list. */
  function compact(now: number): void {
    if (entries.length < 32 || live.size * 2 > entries.length || now - compactedAt < staleMs) return;
    compactedAt = now;
    entries = entries.filter(({ removedAt }) => removedAt === undefined || now - removedAt < staleMs);
  }

  function isSeen({ addedAt, removedAt, subscriber }: Entry, freshness: Freshness, now: number): boolean {
    if (subscriber.validUntil <= now) return false;
    if (freshness === "fresh") return removedAt === undefined;
    return now - addedAt >= staleMs && (removedAt === undefined || now - removedAt < staleMs);
  }

  return {
    get size() {
      return live.size;
    },

    add(subscriber, now) {
      const before = live.get(subscriber.id);
      if (before !== undefined && isSame(before.subscriber, subscriber)) return;
      if (before !== undefined) before.removedAt = now;
      lastOrder += 1;
      const entry: Entry = { subscriber, order: lastOrder, addedAt: now };
      entries.push(entry);
      live.set(subscriber.id, entry);
      compact(now);
    },

    remove(id, now) {
      const entry = live.get(id);
      if (entry === undefined) return false;
      entry.removedAt = now;
      live.delete(id);
      compact(now);
      return true;
    },

    page({ cursor, limit, freshness, now }) {
      const subscribers: Subscriber[] = [];
      let index = cursor === undefined ? 0 : firstAfter(entries, Number(cursor));
      let seen: Entry | undefined;
      for (; index < entries.length && subscribers.length < limit; index++) {
        seen = entries[index] as Entry;
        if (isSeen(seen, freshness, now)) subscribers.push(seen.subscriber);
      }
      return seen !== undefined && index < entries.length
        ? { subscribers, cursor: String(seen.order) }
        : { subscribers };
    },
  };
}

function isSame(one: Subscriber, other: Subscriber): boolean {
  return one.validUntil === other.validUntil && one.address === other.address && one.connectedAt === other.connectedAt;
}

/** The index of the first entry whose order is above `order`, by bisection. */
function firstAfter(entries: readonly Entry[], order: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as Entry).order > order) high = middle;
    else low = middle + 1;
  }
  return low;
}
