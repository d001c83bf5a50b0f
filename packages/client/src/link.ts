import type { Socket } from "./types.ts";

// biome-ignore lint/suspicious/noExplicitAny: what the service says, which the protocol describes; unknown frames are passed over
export type Frame = any;

/** One WebSocket, from before its handshake. */
export interface Link {
  socket?: Socket;
  isOver?: boolean;
  /** Unix ms; 0 before its handshake is done. */
  heardAt: number;
  /** Who waits for an answer, by its id. */
  readonly waiting: Map<string, (answer: Frame) => void>;
}

/** What a service makes of the links to it. */
export interface SessionHandlers {
  /** Where to connect to now; with a query, if only a `?`. */
  address(): string;
  /** There is a link, or it serves now. Where another one serves still, it takes over when this resolves. */
  greet(link: Link): Promise<unknown>;
  /** Whether nobody else is to look at the frame. */
  hear(frame: Frame, link: Link): unknown;
  /** Has the service say something. */
  ping(link: Link): void;
  /** It is over for good. */
  closed(): void;
}

/** Like what the service says when it can't do something: whether it did is not known. */
export const UNANSWERED = { code: "unavailable" };
