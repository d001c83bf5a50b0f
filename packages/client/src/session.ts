import { createEvents, type Events } from "./events.ts";
import { type Frame, type Link, type SessionHandlers, UNANSWERED } from "./link.ts";
import type { Settings } from "./settings.ts";
import type { Reason, SocketConstructor, State } from "./types.ts";

/** What pages have; workers have some of it, Node may have none. */
interface Page {
  readonly WebSocket: SocketConstructor;
  addEventListener?(event: string, listener: () => void): void;
  removeEventListener?(event: string, listener: () => void): void;
}

/** A connection that is kept over as many links as it takes. */
export interface Session extends Events {
  readonly state: State;
  /** The link that serves. */
  readonly link: Link | undefined;
  /** What others see of this client, once that is known. */
  you?: string;
  /** Calls `run` in `ms`, unless the session is closed or what it returns is called before. */
  after(ms: number, run: () => unknown): () => void;
  /**
   * Resolves with the answer, or with `code: "unavailable"` where none came; never rejects. `json` is the request, to
   * which it adds the `id`.
   */
  request(link: Link, json: string): Promise<Frame>;
  /** Resolves when it is time for the next try: by chance, later after each, and not before the answer says. */
  pause(tries: number, answer: Frame): Promise<void>;
  /** Makes a link that takes over from the present one. */
  renew(): void;
  /** Resolves with the link that serves when `isReady` says yes to it. */
  ready(isReady: (link: Link) => boolean): Promise<Link>;
  /** A link may be ready now. */
  wake(): void;
  close(reason?: Reason): void;
}

export function createSession(settings: Settings, handlers: SessionHandlers): Session {
  /** The waits between tries: a random part of the first, doubled each time up to the longest. */
  const FIRST_WAIT_MS = 500;
  const MAX_WAIT_MS = 30_000;
  /** A connection that lasted so long was a good one. */
  const GOOD_MS = 10_000;
  /** For so long a `direct` frame may come again. */
  const DIRECT_MS = 60_000;
  const { token, timeoutMs, pingMs, random, now } = settings;
  /** What ends when it is closed. */
  const stops = new Set<() => void>();
  let state: State = "connecting";
  let current: Link | undefined;
  let opening: Link | undefined;
  let tries = 0;
  let lastId = 0;
  /** Those that came lately, as they came. */
  const directs = new Set<string>();
  let stopWaiting: (() => void) | undefined;
  let wakers: (() => void)[] = [];

  function after(ms: number, run: () => unknown): () => void {
    const cancel = settings.after(ms, () => {
      stop();
      run();
    });
    const stop = () => {
      stops.delete(stop);
      cancel();
    };
    stops.add(stop);
    return stop;
  }

  const waitMs = (tries: number) => random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);

  function turn(next: State, reason?: Reason): void {
    if (state === "closed" || state === next) return;
    state = next;
    session.emit("state", next, reason);
  }

  async function open(): Promise<void> {
    if (opening || state === "closed") return;
    stopWaiting?.();
    const link: Link = { heardAt: 0, waiting: new Map() };
    opening = link;
    after(timeoutMs, () => link.heardAt || end(link, "timeout"));
    let bearer: string | undefined;
    try {
      bearer = typeof token === "function" ? await token() : token;
    } catch {
      // Such as that of a fetch while there is no network: it is asked again.
      end(link, "token");
    }
    if (link.isOver) return;
    // Where there is none, the error says its name.
    const socket = new (settings.WebSocket ?? (globalThis as unknown as Page).WebSocket)(
      `${handlers.address()}client=${settings.client}`,
      bearer ? ["bearer", bearer] : [],
    );
    link.socket = socket;
    socket.onopen = () => welcome(link);
    socket.onmessage = ({ data }: { data: string }) => {
      link.heardAt = now();
      // Empty frames are for nobody.
      if (!link.isOver && data) hear(JSON.parse(data), link, data);
    };
    // `onclose` follows; the one of `ws` throws where nobody listens.
    socket.onerror = () => {};
    socket.onclose = () => end(link, "lost");
  }

  function welcome(link: Link): void {
    if (link.isOver) return;
    link.heardAt = now();
    if (current) void handlers.greet(link).then(() => link === opening && takeOver(link));
    else takeOver(link);
  }

  function takeOver(link: Link): void {
    const old = current;
    current = link;
    opening = undefined;
    const whileServing = (ms: number, run: () => unknown) => after(ms, () => link.isOver || run());
    const keepAlive = () => {
      handlers.ping(link);
      whileServing(pingMs, keepAlive);
    };
    whileServing(pingMs, keepAlive);
    whileServing(settings.maxAgeMs * (1 - random() / 10), open);
    whileServing(GOOD_MS, () => {
      tries = 0;
    });
    turn("connected");
    end(old, "lost");
    void handlers.greet(link);
  }

  function hear(frame: Frame, link: Link, text: string): void {
    const { type, id, code } = frame;
    if (handlers.hear(frame, link)) return;
    if (type === "closing" && !frame.topic) {
      if (frame.reconnect) end(link, frame.reason);
      else session.close(frame.reason);
    }
    // While one link takes over from another it comes by both, and the service may try again for half a minute.
    if (type === "direct" && directs.size < directs.add(text).size) {
      after(DIRECT_MS, () => directs.delete(text));
      session.emit(type, frame);
    }
    // The service doesn't know this connection, or its token, any more.
    if (code === "unauthorized" || code === "not_found") end(link, code);
    link.waiting.get(id)?.(frame);
    link.waiting.delete(id);
  }

  function end(link: Link | undefined, reason: Reason): void {
    if (!link || link.isOver) return;
    link.isOver = true;
    link.socket?.close();
    for (const answer of link.waiting.values()) answer(UNANSWERED);
    const wasOpening = link === opening;
    if (wasOpening) opening = undefined;
    if (link === current) {
      current = undefined;
      // It has something at least, and the old one has nothing any more.
      if (opening?.heardAt) takeOver(opening);
    }
    if (!current) turn("disconnected", reason);
    if (wasOpening || !(current || opening)) stopWaiting = after(waitMs(tries++), open);
  }
  /** The network may be back, or a link have died while nobody looked. */
  function revive(): void {
    if (current) handlers.ping(current);
    else void open();
  }

  const session: Session = {
    ...createEvents(),
    get state() {
      return state;
    },
    get link() {
      return current;
    },
    after,
    request: (link, json) =>
      new Promise((resolve) => {
        const id = `${++lastId}`;
        const sentAt = now();
        link.waiting.set(id, resolve);
        link.socket?.send(`${json.slice(0, -1)},"id":"${id}"}`);
        after(timeoutMs, () => {
          // Where nothing at all came meanwhile, nothing will.
          if (link.heardAt < sentAt) end(link, "timeout");
          resolve(UNANSWERED);
        });
      }),
    pause: (tries, { retryAfter = 0 }) =>
      new Promise((resolve) => void after(retryAfter + waitMs(tries), resolve as () => void)),
    renew: open,
    async ready(isReady) {
      while (!current || !isReady(current)) await new Promise<void>((resolve) => void wakers.push(resolve));
      return current;
    },
    wake() {
      for (const wake of wakers) wake();
      wakers = [];
    },
    close(reason = "closed") {
      turn("closed", reason);
      // First, or it would take over.
      end(opening, reason);
      end(current, reason);
      for (const stop of stops) stop();
      handlers.closed();
    },
  };
  for (const event of ["online", "visibilitychange"]) {
    (globalThis as unknown as Page).addEventListener?.(event, revive);
    stops.add(() => (globalThis as unknown as Page).removeEventListener?.(event, revive));
  }
  void open();
  return session;
}
