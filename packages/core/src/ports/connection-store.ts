import type { Topic } from "@topicast/protocol";
import type { AppId, Connection, ConnectionId, Shard, Subscriber, Target } from "../model.ts";

/** How old an answer may be: `fresh` reflects every write acknowledged before the read began, `stale` may lag behind. */
export type Freshness = "fresh" | "stale";

/** For so long, in ms, what is no longer valid can still be found: who may be there yet must be told, closed and forgotten. */
export const EXPIRED_KEPT_MS = 15 * 60_000;

export type ConnectOutcome = "connected" | "too_many_connections";

export interface SubscribeInput {
  readonly app: AppId;
  readonly topic: Topic;
  readonly connection: Target;
  /** Unix ms after which the subscription counts as gone even where nobody removed it. */
  readonly validUntil: number;
  /** The most topics that one connection may be subscribed to. */
  readonly maxSubscriptions: number;
}

export type SubscribeOutcome =
  | { readonly status: "subscribed"; readonly from: string }
  | { readonly status: "too_many_subscriptions" }
  | { readonly status: "unknown_connection" };

export interface SubscriberQuery {
  readonly app: AppId;
  readonly topic: Topic;
  /** Whose subscribers; all of the topic's where absent. */
  readonly shard?: Shard;
  /** Where the page before ended; absent for the first page. */
  readonly cursor?: string;
  /** The most subscribers that a page holds. A page may hold fewer and still have a cursor. */
  readonly limit: number;
  readonly freshness: Freshness;
}

export interface SubscriberPage {
  readonly subscribers: readonly Subscriber[];
  /** Those no longer valid whom nobody has removed yet, as long as {@link EXPIRED_KEPT_MS} allows. They count for the page's limit. */
  readonly expired: readonly Subscriber[];
  /** Present where more may follow. */
  readonly cursor?: string | undefined;
  /** In the first page of a whole topic, as fresh as the page: how many shards it has, see {@link ConnectionStore.setShards}. */
  readonly shards?: number | undefined;
}

export interface ConnectionsQuery {
  /** Where the page before ended; absent for the first page. */
  readonly cursor?: string;
  /** The most connections that a page holds. A page may hold fewer and still have a cursor. */
  readonly limit: number;
}

export interface ConnectionPage {
  readonly connections: readonly Target[];
  /** Present where more may follow. */
  readonly cursor?: string;
}

/**
 * Connections and what they subscribe to, kept apart by application.
 *
 * Every method may throw `UnavailableError` (throttled, timed out, unreachable): then the write may or may not have
 * happened, and repeating it is safe, because every write here is idempotent.
 */
export interface ConnectionStore {
  /**
   * Remembers a connection, and subscribes it to its room where it has one. Idempotent by id.
   *
   * With `maxConnections` it is counted, until its disconnect or, where that never comes, until it can't be alive any more and ten minutes on;
   * where its application has as many that were counted, it is refused and nothing is left behind. However many come at once, no more than
   * that are let in. A call that fails, or is repeated because its answer was lost, may leave the count one off for that time.
   */
  connect(connection: Connection, maxConnections?: number): Promise<ConnectOutcome>;

  /** One connection, or `undefined` where it isn't known or no longer valid. A `stale` read may miss a young one. */
  get(app: AppId, id: ConnectionId, freshness: Freshness): Promise<Connection | undefined>;

  /** Those of the connections that are known and valid, each once and in no promised order. Always fresh. */
  getMany(app: AppId, ids: readonly ConnectionId[]): Promise<readonly Connection[]>;

  /**
   * One page of a user's connections, see `userOf`; in no promised order, and always fresh. One that is there from the first page to the
   * last is in one of them, whoever else comes or goes meanwhile. Those no longer valid are left out; one whose connect ran beside its disconnect
   * may be in it until then.
   */
  connectionsOf(app: AppId, user: string, query: ConnectionsQuery): Promise<ConnectionPage>;

  /**
   * Subscribes a known connection. Once this resolves, every `fresh` read of the topic's subscribers, whole or in shards, has it. Subscribing
   * again is the same as once; its `subscribedAt` is the later.
   */
  subscribe(input: SubscribeInput): Promise<SubscribeOutcome>;

  /** Ends one subscription; whether there was one. Once this resolves, no `fresh` read of subscribers has it. */
  unsubscribe(app: AppId, topic: Topic, id: ConnectionId): Promise<boolean>;

  /**
   * Ends a subscription as a page told of it; whether there was one. Where the connection has subscribed again since, that stays, so
   * that nobody is cut off who came back. Some seconds later at most it no longer counts as one of the topics that the connection may have.
   */
  endSubscription(app: AppId, topic: Topic, subscriber: Subscriber): Promise<boolean>;

  /** Forgets a connection and all its subscriptions; whether it was known. */
  disconnect(app: AppId, id: ConnectionId): Promise<boolean>;

  /**
   * One page of a topic's subscribers or of a shard's, in no promised order and never as one array. A subscriber that is there from the
   * first page to the last is in one of them, whoever else comes or goes meanwhile. Those no longer valid come apart. The shards of one
   * {@link Shard.of} have together whom the topic has, each in one of them: whatever number of shards the topic is said to have.
   */
  subscribers(query: SubscriberQuery): Promise<SubscriberPage>;

  /**
   * Says that a topic has `to` shards, where it is said to have `from`; otherwise nothing happens, so that of many who ask for the same at once
   * one has it done. It is advice to those who begin a fan-out, about how many workers to share it among, and no more: who began with another
   * number misses nobody. A topic begins with one, and may return to it when nobody has asked for another for weeks, or has subscribed.
   */
  setShards(app: AppId, topic: Topic, change: { readonly from: number; readonly to: number }): Promise<void>;
}
