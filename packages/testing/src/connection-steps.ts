import type {
  AppId,
  Connection,
  ConnectionId,
  ConnectionStore,
  Freshness,
  Shard,
  SubscribeOutcome,
  Subscriber,
  SubscriberPage,
} from "@topicast/core";
import { DEFAULT_APP } from "@topicast/core";
import type { Topic } from "@topicast/protocol";
import type { TestClock } from "./clock.ts";
import { aConnection } from "./factories.ts";
import { fewAtATime } from "./few-at-a-time.ts";
import type { Closable } from "./harness.ts";

/** More pages than any walk of these suites has: a walk that goes on is one that never ends. */
const MAX_PAGES = 2_000;

export interface ConnectionStoreHarness extends Closable {
  readonly store: ConnectionStore;
  /** The store's clock. It stands still until a test moves it. */
  readonly clock: TestClock;
}

/** Connects a client now. */
export async function join(
  { store, clock }: ConnectionStoreHarness,
  overrides: Partial<Connection> = {},
): Promise<Connection> {
  const connection = aConnection({ connectedAt: clock.now(), ...overrides });
  await store.connect(connection);
  return connection;
}

/** Connects clients that join a topic in the same step, many at once. */
export function joinMany(harness: ConnectionStoreHarness, room: Topic, count: number): Promise<Connection[]> {
  return fewAtATime(Array<Topic>(count).fill(room), (each) => join(harness, { room: each }));
}

export function subscribe(
  { store }: ConnectionStoreHarness,
  connection: Connection,
  topic: Topic,
  { validUntil = connection.validUntil, maxSubscriptions = 1_000 } = {},
): Promise<SubscribeOutcome> {
  return store.subscribe({ app: connection.app, topic, connection, validUntil, maxSubscriptions });
}

export interface Walk {
  readonly topic: Topic;
  readonly app?: AppId;
  /** The whole topic where absent. */
  readonly shard?: Shard;
  readonly limit?: number;
  readonly freshness?: Freshness;
  /** Called after each page. */
  readonly between?: (page: SubscriberPage) => Promise<void>;
}

/** Every page. Throws where that doesn't end. */
export async function pagesOf(store: ConnectionStore, walk: Walk): Promise<readonly SubscriberPage[]> {
  const { topic, app = DEFAULT_APP, shard, limit = 100, freshness = "fresh", between } = walk;
  const query = { app, topic, ...(shard !== undefined && { shard }), limit, freshness };
  const pages: SubscriberPage[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.subscribers({ ...query, ...(cursor !== undefined && { cursor }) });
    pages.push(page);
    if (pages.length > MAX_PAGES) throw new Error(`The walk through ${topic} didn't end in ${MAX_PAGES} pages.`);
    cursor = page.cursor;
    await between?.(page);
  } while (cursor !== undefined);
  return pages;
}

/** A subscriber as its page tells of it. Throws where the topic hasn't this one. */
export async function findSubscriber(
  { store }: ConnectionStoreHarness,
  topic: Topic,
  id: ConnectionId,
): Promise<Subscriber> {
  for (const { subscribers, expired } of await pagesOf(store, { topic, limit: 1_000 })) {
    const subscriber = [...subscribers, ...expired].find((each) => each.id === id);
    if (subscriber !== undefined) return subscriber;
  }
  throw new Error(`${id} is no subscriber of ${topic}.`);
}

/** How many shards a topic is said to have. */
export async function shardsOf({ store }: ConnectionStoreHarness, topic: Topic): Promise<number | undefined> {
  return (await store.subscribers({ app: DEFAULT_APP, topic, limit: 1, freshness: "fresh" })).shards;
}

/** Ends the subscription that the topic's pages tell of. */
export async function endSubscription(
  harness: ConnectionStoreHarness,
  topic: Topic,
  id: ConnectionId,
): Promise<boolean> {
  const subscriber = await findSubscriber(harness, topic, id);
  return harness.store.endSubscription(DEFAULT_APP, topic, subscriber);
}

export async function subscribersOf(store: ConnectionStore, walk: Walk): Promise<readonly Subscriber[]> {
  return (await pagesOf(store, walk)).flatMap(({ subscribers }) => subscribers);
}

/** Those no longer valid whom nobody has removed. */
export async function expiredOf(store: ConnectionStore, walk: Walk): Promise<readonly Subscriber[]> {
  return (await pagesOf(store, walk)).flatMap(({ expired }) => expired);
}

/** The ids of a topic's subscribers, sorted; one that came twice is there twice. */
export async function idsOf(store: ConnectionStore, walk: Walk): Promise<readonly ConnectionId[]> {
  return sortedIds(await subscribersOf(store, walk));
}

export function sortedIds(all: readonly { readonly id: ConnectionId }[]): readonly ConnectionId[] {
  return all.map(({ id }) => id).sort();
}
