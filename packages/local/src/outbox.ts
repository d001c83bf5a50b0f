import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";

/** Frames that are due, in order: a chain, told by its last link. Who is due the same frames shares one chain, and so one joined buffer. */
interface Due {
  readonly before: Due | undefined;
  readonly frame: Buffer;
  /** Of all its frames. */
  readonly bytes: number;
  /** What last followed here: who is due the same next takes it instead of a link of its own. */
  next: Due | undefined;
  joined: Buffer | undefined;
  /** Those who came here one by one. */
  group: Group | undefined;
}

/** Clients that are due the same. */
interface Group {
  due: Due;
  size: number;
  /** A list of all of them and nobody else, where one is known. */
  list: OutletList | undefined;
}

/** Where the frames to one client leave. */
export interface Outlet {
  readonly socket: WebSocket;
  /** What `socket` writes to. */
  readonly stream: Duplex;
  /** Of the outbox alone; undefined where nothing is due. */
  group: Group | undefined;
}

/** Outlets, and words for those that there are none of. */
export type OutletList = readonly (Outlet | string)[];

/**
 * Writes each client at most once per turn of the event loop, unless it is due very much: a write costs the same for one frame and for many. While
 * each turn brings more, all wait for it, a few turns at the most. Whoever writes to a client by other ways flushes it before.
 */
export interface Outbox {
  /** Takes a whole frame, which must not change any more. Dropped where the client has left by the time that it is written. */
  put(outlet: Outlet, frame: Buffer): void;
  /**
   * Takes a frame that nobody else gets for all of a list, which must not change any more: in one step where they, and nobody else, are due the same
   * already. Otherwise `putEach` is to do it.
   */
  putAll(list: OutletList, frame: Buffer, putEach: () => void): void;
  /** Whether it has taken something that isn't written yet. */
  isDue(outlet: Outlet): boolean;
  /** Writes what is due to one client now. */
  flush(outlet: Outlet): void;
  /** What has not reached the system's own buffers yet. */
  unsentBytes(outlet: Outlet): number;
}

/** Joining more saves nothing, and what waits here the system could take already. */
const MAX_JOINED_BYTES = 65_536;
/** To take in what has come takes about 0.1 ms a message; to write 1,000 clients takes 5 ms, however much each is due. */
const MAX_TURNS = 4;

export function createOutbox(): Outbox {
  let start: Due | undefined;
  let waiting: Outlet[] = [];
  let turns = 0;
  let isQuiet = true;

  function follow(before: Due | undefined, frame: Buffer): Due {
    isQuiet = false;
    const known = before === undefined ? start : before.next;
    if (known?.frame === frame) return known;
    const bytes = (before?.bytes ?? 0) + frame.length;
    const due = { before, frame, bytes, next: undefined, joined: undefined, group: undefined };
    if (before === undefined) start = due;
    else before.next = due;
    return due;
  }

  function flush(outlet: Outlet): void {
    const due = leave(outlet);
    if (due === undefined) return;
    const { socket, stream } = outlet;
    if (socket.readyState === socket.OPEN) stream.write(bytesOf(due));
  }

  function flushAll(): void {
    const outlets = waiting;
    waiting = [];
    start = undefined;
    turns = 0;
    for (const outlet of outlets) flush(outlet);
  }

  function endTurn(): void {
    turns += 1;
    if (isQuiet || turns === MAX_TURNS) flushAll();
    else {
      isQuiet = true;
      setImmediate(endTurn);
    }
  }

  return {
    put(outlet, frame) {
      if (outlet.group === undefined) {
        if (waiting.length === 0) setImmediate(endTurn);
        waiting.push(outlet);
      }
      const due = follow(leave(outlet), frame);
      join(outlet, due);
      if (due.bytes > MAX_JOINED_BYTES) flush(outlet);
    },
    putAll(list, frame, putEach) {
      const group = groupOf(list[0]);
      if (group?.list === list && group.due.bytes + frame.length <= MAX_JOINED_BYTES) {
        group.due = follow(group.due, frame);
        return;
      }
      putEach();
      const joined = groupOf(list[0]);
      if (joined?.size === list.length) joined.list = list;
    },
    isDue: ({ group }) => group !== undefined,
    flush,
    unsentBytes: ({ stream, group }) => stream.writableLength + (group === undefined ? 0 : group.due.bytes),
  };
}

function groupOf(outlet: Outlet | string | undefined): Group | undefined {
  return typeof outlet === "object" ? outlet.group : undefined;
}

function join(outlet: Outlet, due: Due): void {
  // A group that went on together isn't here any more.
  if (due.group?.due !== due) due.group = { due, size: 0, list: undefined };
  const { group } = due;
  outlet.group = group;
  group.size += 1;
  group.list = undefined;
}

/** What was due to it. */
function leave(outlet: Outlet): Due | undefined {
  const { group } = outlet;
  if (group === undefined) return undefined;
  outlet.group = undefined;
  group.size -= 1;
  group.list = undefined;
  return group.due;
}

function bytesOf(due: Due): Buffer {
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
