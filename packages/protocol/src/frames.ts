import type { ErrorCode } from "./codes.ts";
import type { Json } from "./json.ts";

/** Where a message stands in its topic: `seq` counts 1, 2, 3, … within an `epoch`. */
export interface Place {
  readonly epoch: string;
  readonly seq: number;
}

/** One message as subscribers get it; without `seq` where it is ephemeral. */
export interface Message {
  readonly seq?: number;
  readonly payload: Json;
  /** Who sent it; absent where a backend didn't say. */
  readonly from?: string;
  /** Unix ms at which the service accepted it. */
  readonly time: number;
  /** The idempotency key that it was published with. */
  readonly key?: string;
}

export interface MessagesFrame {
  readonly type: "messages";
  readonly topic: string;
  /** Absent where the messages are ephemeral. */
  readonly epoch?: string;
  readonly messages: readonly Message[];
}

export interface AckFrame {
  readonly type: "ack";
  readonly id?: string;
  readonly action: string;
  readonly topic: string;
  /** The place of the last message (publish) or how far the topic is settled (subscribe, history); absent where ephemeral. */
  readonly epoch?: string;
  readonly seq?: number;
  /** This client's `from`. */
  readonly you?: string;
  /** Whether everything after the `since` of the request can be had: all of it or none. */
  readonly recovered?: boolean;
  /** What was asked for of the history, oldest first; numbers that are absent up to the last one are void. */
  readonly messages?: readonly Message[];
  /** Whether some of it is left: with `since` what follows the last of `messages`, with `last` what comes before the first. */
  readonly more?: boolean;
}

export interface ErrorFrame {
  readonly type: "error";
  readonly id?: string;
  readonly action?: string;
  readonly topic?: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly limit?: number;
  /** Ms after which a retry may succeed. */
  readonly retryAfter?: number;
}

export interface PongFrame {
  readonly type: "pong";
  readonly id?: string;
  /** Unix ms. */
  readonly time?: number;
  readonly connectionId?: string;
  readonly you?: string;
  /** Which topics have something newer than the places that the ping asked about. */
  readonly behind?: readonly string[];
}

/** A subscription ends, or the connection where no topic is named. */
export interface ClosingFrame {
  readonly type: "closing";
  readonly topic?: string;
  readonly reason: string;
  /** Whether to come back. */
  readonly reconnect: boolean;
}

/** From a backend to one connection, or to all of a user. */
export interface DirectFrame {
  readonly type: "direct";
  readonly payload: Json;
  /** Absent where the backend didn't say. */
  readonly from?: string;
  /** Unix ms at which the service accepted it. */
  readonly time: number;
}

/** How a replay in message-broadcast went; `epoch` and `seq` are where the room stands. */
export interface RecoveryFrame {
  readonly type: "recovery";
  readonly epoch: string;
  readonly seq: number;
  readonly recovered: boolean;
}

/** What the topic service sends. */
export type ServerFrame = MessagesFrame | AckFrame | ErrorFrame | PongFrame | ClosingFrame | DirectFrame;
