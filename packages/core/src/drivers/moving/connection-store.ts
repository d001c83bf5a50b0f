import type { Topic } from "@topicast/protocol";
import type { AppId, Connection, ConnectionId, Subscriber, Target } from "../../model.ts";
import type {
  ConnectionsQuery,
  ConnectionStore,
  SubscribeInput,
  SubscribeOutcome,
  SubscriberPage,
  SubscriberQuery,
} from "../../ports/connection-store.ts";
import { slotOf, slotText } from "../../shards.ts";
import { mergePages } from "./merged-pages.ts";
import type { StoreIndex } from "./topic-owner.ts";

export interface MovingConnectionStoreOptions {
  /**
   * In the same order in every process. Their pages of subscribers go by `{slot}{id}` in bytes, those of a user's connections by id, and cursors are such names: so a
   * walk that one process began in one of them, or in both, goes on in either.
   */
  readonly stores: readonly [ConnectionStore, ConnectionStore];
  /** Which of them decides whether a limit is reached: the one that processes of the neighbouring step know alone. */
  readonly owner: StoreIndex;
}

/** For the store that only counts along. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * Connections in two stores, while they move from one to the other: written to both, and read from both, as each may have some that the other hasn't, because a
 * process wrote them that knows only one. Who is in both is there once. A connection ends after two hours at most, and its client
 * comes back: from then on all are in both that came since every process knows both.
 *
 * The owner alone decides about limits: a process that knows only that one gives back only there, so that the other counts for hours who is no longer there.
 *
 * A write is done when both have it. Where one half fails, all of it does, and a repeat makes it good.
 */
export function createMovingConnectionStore({ stores, owner }: MovingConnectionStoreOptions): ConnectionStore {
  const [one, two] = stores;

  /** In a store that may not know the connection: then it learns of it from the other. */
  async function subscribeIn(store: ConnectionStore, other: ConnectionStore, input: SubscribeInput) {
    const { app, connection: target } = input;
    const outcome = await store.subscribe(input);
    const connection = outcome.status === "unknown_connection" && (await other.get(app, target.id, "fresh"));
    if (!connection) return outcome;
    await store.connect(connection);
    const later = await store.subscribe(input);
    // It left meanwhile, and the disconnect may have come by here before it was copied.
    if ((await other.get(app, target.id, "fresh")) === undefined) await store.disconnect(app, target.id);
    return later;
  }

  async function subscribe(input: SubscribeInput): Promise<SubscribeOutcome> {
    const { app, topic, connection } = input;
    const unlimited = { ...input, maxSubscriptions: NO_LIMIT };
    const [inOne, inTwo] = owner === 0 ? [input, unlimited] : [unlimited, input];
    // Where the second may refuse it, what the first had stays.
    const before = owner === 1 ? await find(one, app, topic, connection.id) : undefined;
    // Always in this order, so that who ends a subscription can tell whether it was made again.
    const outcome = await subscribeIn(one, two, inOne);
    if (outcome.status !== "subscribed") return outcome;
    const second = await subscribeIn(two, one, inTwo);
    if (second.status !== "subscribed" && before === undefined) await one.unsubscribe(app, topic, connection.id);
    return second;
  }

  async function subscribers({ limit, ...query }: SubscriberQuery): Promise<SubscriberPage> {
    const pages = await Promise.all(stores.map((store) => store.subscribers({ ...query, limit })));
    const named = pages.map((page) => ({ ...page, items: [...page.subscribers, ...page.expired] }));
    const { items, cursor } = mergePages(named, subscriberName, newerOf, limit);
    const expired = new Set(pages.flatMap((page) => page.expired));
    const shards = pages.flatMap((page) => (page.shards === undefined ? [] : [page.shards]));
    return {
      subscribers: items.filter((item) => !expired.has(item)),
      expired: items.filter((item) => expired.has(item)),
      cursor,
      shards: shards.length === 0 ? undefined : Math.max(...shards),
    };
  }

  /** A subscription as one store has it. */
  async function find(store: ConnectionStore, app: AppId, topic: Topic, id: ConnectionId) {
    const cursor = justBefore(subscriberName({ id }));
    const page = await store.subscribers({ app, topic, cursor, limit: 1, freshness: "fresh" });
    return [...page.subscribers, ...page.expired].find((subscriber) => subscriber.id === id);
  }

  async function endSubscription(app: AppId, topic: Topic, told: Subscriber): Promise<boolean> {
    const [first, second] = await Promise.all(stores.map((store) => find(store, app, topic, told.id)));
    const isFirst = first?.subscribedAt === told.subscribedAt;
    const isSecond = second?.subscribedAt === told.subscribedAt;
    // The same subscribe comes to the first store before it comes to the second.
    if (!isFirst && !(isSecond && (first?.subscribedAt ?? 0) <= told.subscribedAt)) return false;
    // Whoever subscribed again since that was read changed the first, or changes the second later.
    if (first !== undefined && !(await one.endSubscription(app, topic, first))) return false;
    if (second === undefined) return first !== undefined;
    return (await two.endSubscription(app, topic, second)) || first !== undefined;
  }

  async function connectionsOf(app: AppId, user: string, query: ConnectionsQuery) {
    const pages = await Promise.all(stores.map((store) => store.connectionsOf(app, user, query)));
    const named = pages.map(({ connections, cursor }) => ({ items: connections, cursor }));
    const { items, cursor } = mergePages<Target>(
      named,
      ({ id }) => id,
      (known) => known,
      query.limit,
    );
    return { connections: items, ...(cursor !== undefined && { cursor }) };
  }

  return {
    async connect(connection, maxConnections) {
      const [decides, follows] = owner === 0 ? [one, two] : [two, one];
      // First, so that nothing is left behind of who is refused.
      if ((await decides.connect(connection, maxConnections)) === "too_many_connections") return "too_many_connections";
      return follows.connect(connection, maxConnections === undefined ? undefined : NO_LIMIT);
    },

    get: async (app, id, freshness) => (await one.get(app, id, freshness)) ?? two.get(app, id, freshness),

    async getMany(app, ids) {
      const known: readonly Connection[] = await one.getMany(app, ids);
      const found = new Set(known.map(({ id }) => id));
      const left = ids.filter((id) => !found.has(id));
      return left.length === 0 ? known : [...known, ...(await two.getMany(app, left))];
    },

    connectionsOf,
    subscribe,

    unsubscribe: async (app, topic, id) => anyOf(stores.map((store) => store.unsubscribe(app, topic, id))),

    endSubscription,

    async disconnect(app, id) {
      const first = await one.disconnect(app, id);
      return (await two.disconnect(app, id)) || first;
    },

    subscribers,

    async setShards(app, topic, change) {
      await Promise.all(stores.map((store) => store.setShards(app, topic, change)));
    },
  };
}

function subscriberName({ id }: Pick<Subscriber, "id">): string {
  return `${slotText(slotOf(id))}${id}`;
}

/** Sorts before a name, and behind every other that does. */
function justBefore(name: string): string {
  const last = name.length - 1;
  return `${name.slice(0, last)}${String.fromCharCode(name.charCodeAt(last) - 1)}~`;
}

/** The one that is valid for longer, as what is known of a connection is the same but for that. */
function newerOf(one: Subscriber, other: Subscriber): Subscriber {
  return other.validUntil > one.validUntil ? other : one;
}

async function anyOf(all: readonly Promise<boolean>[]): Promise<boolean> {
  return (await Promise.all(all)).includes(true);
}
