import { createReceiver, type Message, type Received } from "@topicast/protocol";
import { TopicastError } from "./errors.ts";
import { iterate } from "./iterate.ts";
import type { Frame, Link } from "./link.ts";
import { createSession } from "./session.ts";
import { settingsOf } from "./settings.ts";
import type { Broadcast, BroadcastMessage, BroadcastOptions } from "./types.ts";

declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/**
 * Connects to a room of message-broadcast, and stays connected over as many WebSockets as that takes. `url` is the service's, such as
 * `ws://localhost:4000/message-broadcast`.
 */
export function connectBroadcast<T = unknown>(url: string, options: BroadcastOptions = {}): Broadcast<T> {
  const MAX_FRAME_BYTES = 32_768;
  /** Longer than parallel deliveries take to overtake one another; the service makes a number void in 2 s. */
  const PATIENCE_MS = 2_500;
  /** What `recovery` has overtaken comes within this. */
  const OVERTAKEN_MS = 500;
  /** After so long the service has given up to recover. */
  const RECOVERY_MS = 60_000;
  const { room = "lobby", ...others } = options;
  const settings = settingsOf(others);
  const { now } = settings;
  const receiver = createReceiver(settings.random);
  /** What waits for a link. */
  const queue: string[] = [];
  /** Called when a link has brought what it was to bring. */
  const recovered = new WeakMap<Link, () => void>();
  /** What came and isn't emitted yet, by its number. */
  const early = new Map<number, Message>();
  let earlyEpoch: string;
  let stopAsking: (() => void) | undefined;

  function take({ messages, lost }: Received): void {
    if (lost) session.emit("lost", lost);
    for (const { payload } of messages) session.emit("message", payload);
    const { place } = receiver;
    for (const seq of early.keys()) if (place?.epoch === earlyEpoch && seq <= place.seq) early.delete(seq);
    plan();
  }

  function plan(): void {
    const { dueAt } = receiver;
    if (!dueAt) {
      stopAsking?.();
      stopAsking = undefined;
      return;
    }
    // There is no history to ask for: another link, which begins at the place, brings what is missing. What else comes meanwhile puts it off no further.
    stopAsking ??= session.after(Math.max(PATIENCE_MS, dueAt - now()), () => {
      stopAsking = undefined;
      if (receiver.ask(now())) session.renew();
      plan();
    });
  }

  /** In the order of their numbers. */
  function earlyUpTo({ epoch, seq: last }: Frame): Message[] {
    const known = epoch === earlyEpoch ? [...early] : [];
    return known.sort(([one], [other]) => one - other).flatMap(([seq, message]) => (seq <= last ? message : []));
  }

  /** What has a `_now` is somebody's message, whatever it looks like. */
  function hear(frame: Frame, link: Link): boolean {
    const { type, _epoch: epoch, _seq: seq, _now: time } = frame;
    if (time) {
      // It begins with the first that comes.
      if (seq && !receiver.place) receiver.ack({ epoch, seq: seq - 1 }, undefined, now());
      const message: Message = { seq, payload: frame, time };
      if (seq) {
        if (epoch !== earlyEpoch) early.clear();
        earlyEpoch = epoch;
        early.set(seq, message);
      }
      take(receiver.receive({ epoch, messages: [message] }, now()));
    } else if (type === "recovery") {
      session.after(OVERTAKEN_MS, () => {
        // What hasn't come by now is void.
        take(receiver.ack({ ...frame, messages: earlyUpTo(frame) }, receiver.place, now()));
        recovered.get(link)?.();
      });
    }
    return !!time;
  }

  const session = createSession(settings, {
    address() {
      const { place } = receiver;
      const since = place ? `since=${place.epoch}:${place.seq}&` : "";
      return `${url}${url.includes("?") ? "&" : "?"}room_id=${encodeURIComponent(room)}&${since}`;
    },
    greet(link) {
      if (link === session.link) for (const text of queue.splice(0)) link.socket?.send(text);
      return new Promise<void>((resolve) => {
        if (!receiver.place) resolve();
        recovered.set(link, resolve);
        session.after(RECOVERY_MS, resolve);
      });
    },
    hear,
    ping: (link) => void session.request(link, '{"action":"ping"}'),
    closed: () => void session.emit("end"),
  });

  const broadcast: Omit<Broadcast<T>, keyof typeof session> = {
    send(message) {
      const { link } = session;
      const text = JSON.stringify(message) ?? "null";
      const bytes = new TextEncoder().encode(text).length;
      if (session.state === "closed") throw new TopicastError("closed");
      if (bytes > MAX_FRAME_BYTES) throw new TopicastError("payload_too_large", `${bytes} bytes`);
      if (link) link.socket?.send(text);
      else if (queue.length < settings.queueMax) queue.push(text);
      else throw new TopicastError("queue_full", `${settings.queueMax} messages wait`);
    },
    [Symbol.asyncIterator]: () =>
      iterate<BroadcastMessage<T>>((put) => [session.on("message", put), session.on("end", put)]),
  };
  return Object.assign(session, broadcast);
}
