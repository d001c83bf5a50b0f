/** Where a message stands in its topic: `seq` counts 1, 2, 3, … within an `epoch`. */
export interface Place {
  readonly epoch: string;
  readonly seq: number;
}

/** One message of a topic, as `on("message")` and `for await` give it. */
export interface Message<T = unknown> {
  readonly payload: T;
  /** Who sent it; absent where a backend didn't say. */
  readonly from?: string;
  /** Whether this client did, over whichever of its connections. */
  readonly me: boolean;
  /** Unix ms at which the service accepted it. */
  readonly time: number;
  /** Its number in the topic; absent where it is ephemeral. */
  readonly seq?: number;
  /** The idempotency key that it was published with. */
  readonly key?: string;
}

/** Messages that can't be had any more, those after `after` up to `place`: load the state that they made anew. */
export interface Lost {
  readonly after: Place;
  readonly place: Place;
}

/**
 * From a backend to this connection, or to all of this user. Each once, also while one connection takes over from another; what comes again within a
 * minute with the same payload, sender and time counts as the same. What was sent while there was no connection doesn't come.
 */
export interface Direct<T = unknown> {
  readonly payload: T;
  /** Absent where the backend didn't say. */
  readonly from?: string;
  /** Unix ms. */
  readonly time: number;
}

/** `disconnected` comes back by itself, `closed` never does. */
export type State = "connecting" | "connected" | "disconnected" | "closed";

/**
 * Why it is disconnected or closed: the link broke or was never made (`lost`), went silent (`timeout`), `token` threw, `close()` was called (`closed`),
 * or what the service said.
 */
export type Reason =
  | "lost"
  | "timeout"
  | "token"
  | "closed"
  | "token_expired"
  | "kicked"
  | "application_deleted"
  | "unauthorized"
  | "not_found"
  | (string & {});

/** Takes a listener away again. */
export type Off = () => void;

/** The part of the standard `WebSocket` that is used; the one of `ws` has it too. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

export type SocketConstructor = new (url: string, protocols?: string | string[]) => Socket;

export interface ConnectionOptions {
  /** A JWT, or what gives one; asked again for each connection. */
  readonly token?: string | (() => string | Promise<string>);
  /** This client's secret, 16–64 characters of `A–Z a–z 0–9 _ -`: who has the same is the same sender. Default: one for the page, made by chance. */
  readonly client?: string;
  /** What connects; give it the one of `ws` on Node 20. Default: the global one. */
  readonly WebSocket?: SocketConstructor;
  /** How long a handshake, an answer or a sign of life may take. Default 10,000. */
  readonly timeoutMs?: number;
  /** How often it asks whether the link is alive, and nothing missing. Default 120,000; API Gateway ends a connection that is silent for 600,000. */
  readonly pingMs?: number;
  /** A connection of this age is replaced by another one, up to a tenth earlier by chance. Default 7,000,000; API Gateway ends it after 7,200,000. */
  readonly maxAgeMs?: number;
  /** Publishes that may wait for a connection or an answer. Default 1,000. */
  readonly queueMax?: number;
  /** Numbers from 0 up to 1. Default: `Math.random`. */
  readonly random?: () => number;
  /** Unix ms. Default: `Date.now`. */
  readonly now?: () => number;
  /** Calls `run` in `ms`, unless what it returns is called before. Default: by `setTimeout`. */
  readonly after?: (ms: number, run: () => void) => () => void;
}

export interface ConnectOptions extends ConnectionOptions {
  /** How long a publish waits for others to the same topic, to travel as one batch. Default 0: those of one go. */
  readonly flushMs?: number;
}

export interface TopicOptions {
  /** Begin with what came after this place, such as one that was kept from an earlier page. */
  readonly since?: Place | undefined;
  /** Begin with the newest messages, at most 100. */
  readonly last?: number | undefined;
}

export interface PublishOptions {
  /** No number, no history, at most once. What a topic's rule makes ephemeral is sent like the rest: clients don't know the rules. */
  readonly ephemeral?: boolean | undefined;
  /** Ephemeral, and within a tick only the newest of this name and sender is delivered. */
  readonly latest?: string | undefined;
  /** `false`: not to this connection. */
  readonly echo?: boolean | undefined;
}

/** `Out` is what listeners get, `In` what is published. */
export interface Topic<Out = unknown, In = Out> {
  readonly name: string;
  /** Everything up to it came, or was reported as lost. Undefined before the service has answered. */
  readonly place: Place | undefined;
  /** Each message once, in order. The first listener subscribes, and the last one that goes leaves the topic. */
  on(event: "message", listener: (message: Message<Out>) => void): Off;
  /** Something can't be had any more; what comes next follows it. */
  on(event: "lost", listener: (lost: Lost) => void): Off;
  /** From now on nothing is missed. Comes again after each time that the connection was. */
  on(event: "subscribed", listener: () => void): Off;
  /** The service refused to subscribe, or ended the subscription for good. Without a listener it is an unhandled rejection. */
  on(event: "error", listener: (error: TopicastFault) => void): Off;
  /**
   * Resolves with its place when it was acknowledged: it is never lost then. Waits while there is no connection. A topic's publishes keep their order.
   * Where it is ephemeral it resolves with undefined, waits for no other, and isn't sent at all while the connection is `disconnected`. Rejects with a
   * `TopicastError`.
   */
  publish(payload: In, options?: PublishOptions): Promise<Place | undefined>;
  /** Takes all listeners for messages away, and leaves the topic. */
  unsubscribe(): void;
  /** Subscribes, like `on("message")`; ends when the topic is left, throws when it is refused. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message<Out>>;
}

export interface TopicastFault extends Error {
  /** The service's, or `queue_full`, `timeout`, `invalid_payload`, `closed`. */
  readonly code: string;
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
}

export interface Connection {
  readonly state: State;
  on(event: "state", listener: (state: State, reason?: Reason) => void): Off;
  on(event: "direct", listener: (message: Direct) => void): Off;
  /** For good. What waits to be published is refused with `closed`. */
  close(): void;
}

/** A connection to message-topic, kept over as many WebSockets as that takes. */
export interface Cast extends Connection {
  /** The same object each time for one name; the options count the first time. */
  topic<T = unknown>(name: string, options?: TopicOptions): Topic<T>;
}

export interface BroadcastOptions extends ConnectionOptions {
  /** Default: `lobby`. */
  readonly room?: string;
}

/** What somebody sent, an object as it is and anything else under `data`, with the service's marks. */
export type BroadcastMessage<T = unknown> = T & {
  /** Whether the connection that got it sent it. */
  readonly _me: boolean;
  /** Unix ms at which the service accepted it. */
  readonly _now: number;
  /** Who sent it; absent where a backend did. */
  readonly _from?: string;
  /** Its number in the room. */
  readonly _seq?: number;
  readonly _epoch?: string;
};

/** A room of message-broadcast, kept over as many WebSockets as that takes. */
export interface Broadcast<T = unknown> extends Connection {
  on(event: "state", listener: (state: State, reason?: Reason) => void): Off;
  on(event: "direct", listener: (message: Direct) => void): Off;
  /** Each once, in order. */
  on(event: "message", listener: (message: BroadcastMessage<T>) => void): Off;
  /** Something can't be had any more; what comes next follows it. */
  on(event: "lost", listener: (lost: Lost) => void): Off;
  /**
   * To everyone in the room. Waits while there is no connection, also where a rule makes the room ephemeral; what was sent into one that breaks may be
   * lost, for the service acknowledges nothing.
   * Throws a `TopicastError`: `queue_full`, `payload_too_large`, `closed`.
   */
  send(message: unknown): void;
  /** Ends when it is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<BroadcastMessage<T>>;
}
