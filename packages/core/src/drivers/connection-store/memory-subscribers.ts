import { type ConnectionId, type Shard, type Subscriber, WHOLE } from "../../model.ts";
import type { Freshness } from "../../ports/connection-store.ts";
import { slotOf, slotsOf } from "../../shards.ts";

interface Entry {
  /** Ascends along the list: a cursor is the order of the last entry seen, so it outlives that entry. */
  readonly order: number;
  readonly addedAt: number;
  removedAt?: number;
  subscriber: Subscriber;
  /** Who was here before the same connection subscribed again, for reads that answer stale. */
  previous?: Subscriber;
}

export interface PageQuery {
  /** Only its subscribers, at the cost of a look at each of the others. */
  readonly shard?: Shard | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
  readonly freshness: Freshness;
  readonly now: number;
}

export interface PageOfList {
  readonly subscribers: readonly Subscriber[];
  readonly expired: readonly Subscriber[];
  readonly cursor?: string;
}

/** A fresh page as it was read last: the same until the list changes or one of its subscriptions runs out. */
interface KnownPage {
  readonly page: PageOfList;
  readonly limit: number;
  /** Unix ms. */
  readonly validUntil: number;
}

/** Shorter pages are read anew. */
const MIN_KNOWN = 64;

/** A topic's subscribers in the order in which they came, with those just removed, for reads that answer stale. */
export interface SubscriberList {
  /** Subscribes a connection now. One that is there stays at its place in the list, so that no walk through it ends later for it. */
  add(subscriber: Omit<Subscriber, "subscribedAt">, now: number): void;
  /** With `subscribedAt` only the subscription of that time. */
  remove(id: ConnectionId, now: number, subscribedAt?: number): boolean;
  page(query: PageQuery): PageOfList;
  has(id: ConnectionId): boolean;
  readonly size: number;
}

export function createSubscriberList(staleMs: number): SubscriberList {
  let entries: Entry[] = [];
  const live = new Map<ConnectionId, Entry>();
  let lastOrder = 0;
  let compactedAt = 0;
  /** By shard and cursor: a long list is read far more often than it changes. */
  const known = new Map<string, KnownPage>();

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

  function read({ shard = WHOLE, cursor, limit, freshness, now }: PageQuery): PageOfList {
    const isIn = within(shard);
    const subscribers: Subscriber[] = [];
    const expired: Subscriber[] = [];
    let index = cursor === undefined ? 0 : firstAfter(entries, Number(cursor));
    let last: Entry | undefined;
    for (; index < entries.length && subscribers.length + expired.length < limit; index++) {
      last = entries[index] as Entry;
      if (!isIn(last.subscriber.id)) continue;
      const subscriber = seen(last, freshness, now);
      if (subscriber !== undefined) (subscriber.validUntil > now ? subscribers : expired).push(subscriber);
    }
    return last !== undefined && index < entries.length
      ? { subscribers, expired, cursor: String(last.order) }
      : { subscribers, expired };
  }

  return {
    get size() {
      return live.size;
    },

    has: (id) => live.has(id),

    add({ id, address, connectedAt, validUntil }, now) {
      known.clear();
      const before = live.get(id);
      // Later than before even within one millisecond: whoever ends the older subscription must not mean this one.
      const subscribedAt = before === undefined ? now : Math.max(now, before.subscriber.subscribedAt + 1);
      const subscriber = { id, address, connectedAt, validUntil, subscribedAt };
      if (before !== undefined) {
        before.previous = before.subscriber;
        before.subscriber = subscriber;
        return;
      }
      lastOrder += 1;
      const entry: Entry = { subscriber, order: lastOrder, addedAt: now };
      entries.push(entry);
      live.set(id, entry);
      compact(now);
    },

    remove(id, now, subscribedAt) {
      const entry = live.get(id);
      if (entry === undefined || (subscribedAt !== undefined && entry.subscriber.subscribedAt !== subscribedAt))
        return false;
      known.clear();
      entry.removedAt = now;
      live.delete(id);
      compact(now);
      return true;
    },

    page(query) {
      const { shard = WHOLE, cursor = "", limit, freshness, now } = query;
      if (freshness === "stale") return read(query);
      const key = `${shard.index}/${shard.of}/${cursor}`;
      const before = known.get(key);
      if (before !== undefined && before.limit === limit && before.validUntil > now) return before.page;
      const page = read(query);
      if (page.subscribers.length < MIN_KNOWN) return page;
      const validUntil = page.subscribers.reduce((first, each) => Math.min(first, each.validUntil), Infinity);
      known.set(key, { page, limit, validUntil });
      return page;
    },
  };
}

function within(shard: Shard): (id: ConnectionId) => boolean {
  if (shard.of === 1) return () => true;
  const [first, last] = slotsOf(shard);
  return (id) => {
    const slot = slotOf(id);
    return slot >= first && slot <= last;
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
