import type { MessageReader } from "../frame-reader.ts";

/** What a connection's reader tells besides deliveries. */
export interface Listener {
  /** The connection takes requests from now on. Not told where a dialect has no `hello`. */
  welcomed(): void;
  /** A subscribe is done, or a publish where a dialect acknowledges them. */
  acked(): void;
  /** Sends frames now, such as the answer to a ping. */
  reply(frames: Buffer): void;
}

/** How the load generator speaks with a kind of server, over WebSocket. */
export interface Dialect {
  /** What the handshake asks for. */
  readonly subprotocol?: string;
  /** A client's first frames; where there are none it is welcome with the handshake. */
  readonly hello?: Buffer;
  /** Whether each publish is acknowledged. */
  readonly acksPublishes: boolean;
  /** Frames that are answered by one ack. `id` is the request's own among those of its connection, counted from 1. */
  subscribe(topic: string, id: number): Buffer;
  /** Frames of a publish; `payload` is a JSON text without line breaks. */
  publish(topic: string, payload: string, id: number): Buffer;
  /** The reader of one connection. Throws where it is refused something, or can't understand it. */
  createReader(listener: Listener): MessageReader;
}
