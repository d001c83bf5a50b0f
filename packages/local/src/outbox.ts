import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";

/**
 * The frames that are due to a client, in order: a chain, told by its last link. Clients that are due the same frames share one chain, and so
 * one joined buffer.
 */
interface Due {
  readonly before: Due | undefined;
  readonly frame: Buffer;
  /** Of all its frames. */
  readonly bytes: number;
  /** What last followed here: who is due the same next takes it instead of a link of its own. */
  next: Due | undefined;
  joined: Buffer | undefined;
}

/** Where the frames to one client leave. */
export interface Outlet {
  readonly socket: WebSocket;
  /** What `socket` writes to. */
  readonly stream: Duplex;
  /** Of the outbox alone. */
  due: Due | undefined;
}

/**
 * Writes each client once per turn of the event loop, unless it is due very much: a write costs the same for one frame and for many. Whoever writes
 * to a client by other ways flushes it before.
 */
export interface Outbox {
  /** Takes a whole frame, which must not change any more, for the end of this turn. Dropped where the client has left by then. */
  put(outlet: Outlet, frame: Buffer): void;
  /** Whether it has taken something for the end of this turn already. */
  isDue(outlet: Outlet): boolean;
  /** Writes what is due to one client now. */
  flush(outlet: Outlet): void;
  /** What has not reached the system's own buffers yet. */
  unsentBytes(outlet: Outlet): number;
}

/** Joining more saves nothing, and what waits here the system could take already. */
const MAX_JOINED_BYTES = 65_536;

export function createOutbox(): Outbox {
  let start: Due | undefined;
  let waiting: Outlet[] = [];

  function follow(before: Due | undefined, frame: Buffer): Due {
    const known = before === undefined ? start : before.next;
    if (known?.frame === frame) return known;
    const bytes = (before?.bytes ?? 0) + frame.length;
    const due = { before, frame, bytes, next: undefined, joined: undefined };
    if (before === undefined) start = due;
    else before.next = due;
    return due;
  }

  function flush(outlet: Outlet): void {
    const { due, socket } = outlet;
    if (due === undefined) return;
    outlet.due = undefined;
    if (socket.readyState === socket.OPEN) outlet.stream.write(join(due));
  }

  function flushAll(): void {
    const outlets = waiting;
    waiting = [];
    start = undefined;
    for (const outlet of outlets) flush(outlet);
  }

  return {
    put(outlet, frame) {
      const { due } = outlet;
      if (due === undefined) {
        if (waiting.length === 0) setImmediate(flushAll);
        waiting.push(outlet);
      }
      outlet.due = follow(due, frame);
      if (outlet.due.bytes > MAX_JOINED_BYTES) flush(outlet);
    },
    isDue: ({ due }) => due !== undefined,
    flush,
    unsentBytes: ({ stream, due }) => stream.writableLength + (due === undefined ? 0 : due.bytes),
  };
}

function join(due: Due): Buffer {
  if (due.before === undefined) return due.frame;
  due.joined ??= concat(due);
  return due.joined;
}

function concat(last: Due): Buffer {
  const joined = Buffer.allocUnsafe(last.bytes);
  for (let due: Due | undefined = last; due !== undefined; due = due.before) {
    joined.set(due.frame, due.bytes - due.frame.length);
  }
  return joined;
}
