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
  /** The place of the last message (publish) or how far the topic is settled (subscribe); absent where ephemeral. */
  readonly epoch?: string;
  readonly seq?: number;
  /** This client's `from`. */
  readonly you?: string;
}

export interface ErrorFrame {
  readonly type: "error";
  readonly id?: string;
  readonly action?: string;
  readonly topic?: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly limit?: number;
}

export interface PongFrame {
  readonly type: "pong";
  readonly id?: string;
  /** Unix ms. */
  readonly time?: number;
  readonly connectionId?: string;
  readonly you?: string;
}

/** What the topic service sends. */
export type ServerFrame = MessagesFrame | AckFrame | ErrorFrame | PongFrame;
