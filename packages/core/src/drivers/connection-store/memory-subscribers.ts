import type { ConnectionId, Subscriber } from "../../model.ts";
import type { Freshness } from "../../ports/connection-store.ts";

interface Entry {
  /** Ascends along the list: a cursor is the order of the last entry seen, so it outlives that entry. */
  readonly order: number;
  readonly addedAt: number;
  removedAt?: number;
  subscriber: Subscriber;
  /** Who was here before the same connection subscribed again, for reads that answer stale. */
  previous?: Subscriber;
}

export interface PageOfList {
  readonly subscribers: Subscriber[];
  readonly expired: Subscriber[];
  readonly cursor?: string;
}

/** One shard of a topic: subscribers in the order in which they came, with those just removed, for reads that answer stale. */
export interface SubscriberList {
  /** Subscribes a connection now. One that is there stays at its place in the list, so that no walk through it ends later for it. */
  add(subscriber: Omit<Subscriber, "subscribedAt">, now: number): void;
  /** With `subscribedAt` only the subscription of that time. */
  remove(id: ConnectionId, now: number, subscribedAt?: number): boolean;
  page(query: { cursor?: string; limit: number; freshness: Freshness; now: number }): PageOfList;
  has(id: ConnectionId): boolean;
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

  function seen(entry: Entry, freshness: Freshness, now: number): Subscriber | undefined {
    const { addedAt, removedAt, subscriber, previous } = entry;
    const isStale = freshness === "stale";
    const isThere = removedAt === undefined || (isStale && now - removedAt < staleMs);
    if (!isThere || (isStale && now - addedAt < staleMs)) return undefined;
    return isStale && previous !== undefined && now - subscriber.subscribedAt < staleMs ? previous : subscriber;
  }

  return {
    get size() {
      return live.size;
    },

    has: (id) => live.has(id),

    add(target, now) {
      const before = live.get(target.id);
      if (before !== undefined) {
        before.previous = before.subscriber;
        // Later than before even within one millisecond: whoever ends the older subscription must not mean this one.
        before.subscriber = { ...target, subscribedAt: Math.max(now, before.subscriber.subscribedAt + 1) };
        return;
      }
      lastOrder += 1;
      const entry: Entry = { subscriber: { ...target, subscribedAt: now }, order: lastOrder, addedAt: now };
      entries.push(entry);
      live.set(target.id, entry);
      compact(now);
    },

    remove(id, now, subscribedAt) {
      const entry = live.get(id);
      if (entry === undefined || (subscribedAt !== undefined && entry.subscriber.subscribedAt !== subscribedAt))
        return false;
      entry.removedAt = now;
      live.delete(id);
      compact(now);
      return true;
    },

    page({ cursor, limit, freshness, now }) {
      const subscribers: Subscriber[] = [];
      const expired: Subscriber[] = [];
      let index = cursor === undefined ? 0 : firstAfter(entries, Number(cursor));
      let last: Entry | undefined;
      for (; index < entries.length && subscribers.length + expired.length < limit; index++) {
        last = entries[index] as Entry;
        const subscriber = seen(last, freshness, now);
        if (subscriber !== undefined) (subscriber.validUntil > now ? subscribers : expired).push(subscriber);
      }
      return last !== undefined && index < entries.length
        ? { subscribers, expired, cursor: String(last.order) }
        : { subscribers, expired };
    },
  };
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
