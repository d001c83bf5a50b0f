import type { DirectFrame, Json, Topic } from "@topicast/protocol";

/** An application's name: everything is kept apart by it. */
export type AppId = string & { readonly __brand: "AppId" };
/** As API Gateway gives it: 15 characters of base64url and `=`. */
export type ConnectionId = string & { readonly __brand: "ConnectionId" };

/** Where there are no applications. */
export const DEFAULT_APP = "default" as AppId;

/** How long a connection can last, in ms: API Gateway ends every one after two hours; ten minutes more cover its `$connect` and our clocks. */
export const CONNECTION_VALID_MS = (120 + 10) * 60_000;

/** What is needed to post to a connection and to judge a 410. */
export interface Target {
  readonly id: ConnectionId;
  /** Which host or API holds the connection: its management endpoint. */
  readonly address: string;
  /** Unix ms. */
  readonly connectedAt: number;
}

export interface Connection extends Target {
  readonly app: AppId;
  /** What others see of the client. */
  readonly from: string;
  /** The topic that it joined by connecting, and that it sends to: in broadcast its room. */
  readonly room?: Topic;
  /** Unix ms after which it counts as gone even where nobody said so. */
  readonly validUntil: number;
}

/** Whose connection it is: its `from`; `undefined` where that is only its own id, so that nobody has two of them. */
export function userOf({ id, from }: Pick<Connection, "id" | "from">): string | undefined {
  return from === (id as string) ? undefined : from;
}

export interface Subscriber extends Target {
  /** Unix ms of its latest subscribe: one that subscribes again is a newer subscriber. */
  readonly subscribedAt: number;
  /** Unix ms. */
  readonly validUntil: number;
}

/**
 * One of `of` parts of a topic's subscribers, counted from 0. A subscriber's part follows from its connection's id alone, so any number of
 * shards can be walked at any time, by those who began with fewer or with more: nobody is moved, and nobody is left behind.
 */
export interface Shard {
  readonly index: number;
  /** A power of two, at most {@link MAX_SHARDS}. */
  readonly of: number;
}

/** As many as a connection's id can be told apart by, see `slotOf`. */
export const MAX_SHARDS = 256;

export const WHOLE: Shard = { index: 0, of: 1 };

/** A message on its way to subscribers; without `seq` where it is ephemeral. */
export interface Delivery {
  readonly seq?: number;
  readonly payload: Json;
  readonly from?: string;
  /** Unix ms at which the service accepted it. */
  readonly time: number;
  /** The idempotency key that it was published with. */
  readonly key?: string;
}

/** A message in a fan-out of many senders' messages. */
export interface Outgoing extends Delivery {
  /** The connection that gets no copy; nobody is told. */
  readonly except?: ConnectionId;
}

export interface LoggedMessage extends Delivery {
  readonly seq: number;
}

/** What a backend sends to connections directly. */
export type DirectMessage = Omit<DirectFrame, "type">;
