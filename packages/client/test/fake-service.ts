import type { Socket, SocketConstructor } from "@topicast/client";
import type { TestClock } from "@topicast/testing";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into frames of every shape
export type Frame = any;

/** A client's end of a connection to the fake service, and what the test sees and does of the service's end. */
export interface FakeSocket extends Socket {
  readonly url: string;
  readonly protocols: readonly string[];
  /** Requests that the service got, oldest first. */
  readonly requests: readonly Frame[];
  readonly isOpen: boolean;
  /** What the service is subscribed to send it. */
  readonly topics: Set<string>;
  /** Sends a frame of the service's. */
  deliver(frame: object): void;
  /** The service's end goes away, and the client is told. */
  drop(): void;
  /** Nothing arrives any more, in either direction, and nobody is told. */
  cutOff(): void;
}

interface Log {
  epoch: string;
  messages: Frame[];
  keys: Map<string, Frame>;
  /** How many of the oldest are gone. */
  forgotten: number;
}

export interface FakeService {
  readonly WebSocket: SocketConstructor;
  /** Every one that a client made, oldest first. */
  readonly sockets: readonly FakeSocket[];
  /** How long a frame, or one leg of a handshake, is under way. */
  latencyMs(): number;
  /** Whether handshakes are refused. */
  isDown: boolean;
  /** Answers a request instead of the service: with a frame, or with nothing at all for `null`. */
  answer: (request: Frame, socket: FakeSocket) => Frame | null | undefined;
  /** Whether a post is lost. */
  isLost: (socket: FakeSocket, frame: Frame) => boolean;
  /** Publishes as a backend; the number. */
  publish(topic: string, payload: unknown): number;
  /** All requests of one action, over all sockets. */
  requests(action: string): Frame[];
  log(topic: string): Log;
  remove(topic: string): void;
}

const PAGE = 100;

/** The topic service as far as clients see it, on a test's clock. */
export function createFakeService(clock: TestClock, latencyMs: () => number = () => 5): FakeService {
  const sockets: FakeSocket[] = [];
  const logs = new Map<string, Log>();
  let epochs = 0;

  const later = (run: () => void) => void clock.sleep(service.latencyMs()).then(run);

  class Client implements FakeSocket {
    onopen: ((event: never) => void) | null = null;
    onmessage: ((event: never) => void) | null = null;
    onclose: ((event: never) => void) | null = null;
    onerror: ((event: never) => void) | null = null;
    readonly requests: Frame[] = [];
    readonly topics = new Set<string>();
    isOpen = false;
    isCut = false;
    isClosed = false;
    readonly url: string;
    readonly protocols: readonly string[];

    constructor(url: string, protocols: readonly string[] = []) {
      this.url = url;
      this.protocols = protocols;
      sockets.push(this);
      later(() => {
        if (this.isClosed || this.isCut) return;
        if (service.isDown) return this.drop();
        this.isOpen = true;
        this.onopen?.({} as never);
      });
    }
    send(text: string) {
      if (!this.isOpen) throw new Error("It is not open.");
      const request = JSON.parse(text);
      later(() => {
        if (!this.isOpen || this.isCut) return;
        this.requests.push(request);
        const answer = service.answer(request, this);
        const reply = answer === undefined ? serve(request, this) : answer;
        if (reply !== null) this.deliver({ id: request.id, action: request.action, topic: request.topic, ...reply });
      });
    }
    deliver(frame: object) {
      const data = JSON.stringify(frame);
      later(() => {
        if (this.isOpen && !this.isCut) this.onmessage?.({ data } as never);
      });
    }
    close() {
      this.isOpen = false;
      this.isClosed = true;
    }
    drop() {
      this.isOpen = false;
      later(() => !this.isClosed && this.onclose?.({ code: 1006 } as never));
    }
    cutOff() {
      this.isCut = true;
    }
  }

  function logOf(topic: string): Log {
    const log = logs.get(topic) ?? { epoch: `e${++epochs}`, messages: [], keys: new Map(), forgotten: 0 };
    logs.set(topic, log);
    return log;
  }

  function since({ epoch, messages, forgotten }: Log, place: Frame, limit = PAGE) {
    const seq = messages.length;
    if (place.epoch !== epoch || place.seq < forgotten || place.seq > seq)
      return { epoch, seq, recovered: false, messages: [] };
    const rest = messages.slice(place.seq, place.seq + limit);
    return { epoch, seq, recovered: true, messages: rest, more: place.seq + limit < seq };
  }

  function append(topic: string, payloads: readonly unknown[], more: Frame, except?: FakeSocket): Frame {
    const log = logOf(topic);
    const messages = payloads.map((payload, at) => ({
      ...(!more.ephemeral && { seq: log.messages.length + 1 + at }),
      payload,
      from: more.from,
      time: clock.now(),
    }));
    if (!more.ephemeral) log.messages.push(...messages);
    const frame = { type: "messages", topic, ...(!more.ephemeral && { epoch: log.epoch }), messages };
    for (const socket of sockets) {
      if (socket.topics.has(topic) && socket !== except && !service.isLost(socket, frame)) socket.deliver(frame);
    }
    return more.ephemeral ? {} : { epoch: log.epoch, seq: log.messages.length };
  }

  function serve(request: Frame, socket: FakeSocket): Frame {
    const { action, topic } = request;
    const you = new URL(socket.url).searchParams.get("client");
    if (action === "ping") {
      const behind = Object.entries<Frame>(request.places ?? {}).filter(
        ([name, { epoch, seq }]) => logOf(name).epoch !== epoch || logOf(name).messages.length > seq,
      );
      return { type: "pong", time: clock.now(), you, behind: behind.map(([name]) => name) };
    }
    const log = logOf(topic);
    if (action === "subscribe") {
      socket.topics.add(topic);
      const page = request.since ? since(log, request.since) : { epoch: log.epoch, seq: log.messages.length };
      const messages = request.last ? { messages: log.messages.slice(-request.last) } : {};
      return { type: "ack", you, ...page, ...messages };
    }
    if (action === "history") return { type: "ack", ...since(log, request.since) };
    if (action === "unsubscribe") socket.topics.delete(topic);
    if (action !== "publish") return { type: "ack" };
    const known = log.keys.get(request.key);
    if (known) return known;
    const sender = { from: you, ephemeral: request.ephemeral || request.latest };
    const ack = {
      type: "ack",
      ...append(topic, request.payloads, sender, request.echo === false ? socket : undefined),
    };
    log.keys.set(request.key, ack);
    return ack;
  }

  const service: FakeService = {
    WebSocket: Client as unknown as SocketConstructor,
    sockets,
    latencyMs,
    isDown: false,
    answer: () => undefined,
    isLost: () => false,
    publish: (topic, payload) => append(topic, [payload], {}).seq,
    requests: (action) => sockets.flatMap(({ requests }) => requests.filter((request) => request.action === action)),
    log: logOf,
    remove(topic) {
      logs.delete(topic);
      for (const socket of sockets) {
        if (socket.topics.delete(topic)) socket.deliver({ type: "closing", topic, reason: "deleted", reconnect: true });
      }
    },
  };
  return service;
}
