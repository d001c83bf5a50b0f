import type { Message, Place, ServerFrame } from "@topicast/protocol";
import type { Api } from "./api.ts";
import type { Socket } from "./gateway.ts";
import { endMemberships, type Journal } from "./journal.ts";
import type { Random } from "./random.ts";
import { createSubscription, type Subscription } from "./subscription.ts";
import type { Timer, VirtualTime } from "./virtual-time.ts";

/** API Gateway answers within 29 s or not at all; an SDK gives up a little earlier. */
const REPLY_MS = 20_000;
const KEEP_ALIVE_MS = 30_000;
/** Once after this silence it asks whether the last message was really the last. */
const SILENCE_MS = 1_500;

export type Reply = Extract<ServerFrame, { id?: string }>;
export type Request = { readonly action: string; readonly [field: string]: unknown };

export interface ClientOptions {
  readonly name: string;
  readonly api: Api;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly journal: Journal;
}

/** A client as the SDK makes one: it stays connected, keeps its subscriptions, and finds out what it missed. */
export interface Client {
  readonly name: string;
  readonly socket: Socket | undefined;
  /** Undefined where no answer comes in time, or the connection ends first. */
  request(request: Request, forMs?: number): Promise<Reply | undefined>;
  goOnline(): void;
  goOffline(how: "close" | "cut"): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  ping(): void;
  /** It published these itself and asked for no copy. */
  sent(topic: string, epoch: string, messages: readonly Message[]): void;
  /** Subscriptions that it has or wants to have. */
  subscriptions(): readonly Subscription[];
  /** Whether it waits for nothing. */
  isSettled(): boolean;
  reconnect(): void;
}

export function createClient(options: ClientOptions): Client {
  const { name, api, time, random, journal } = options;
  const subscriptions = new Map<string, Subscription>();
  const waiting = new Map<string, (reply: Reply | undefined) => void>();
  let socket: Socket | undefined;
  let isConnecting = false;
  let isOnline = false;
  let lastId = 0;
  let silence: Timer | undefined;
  let keepAlive: Timer | undefined;

  async function connect(): Promise<void> {
    if (isConnecting || socket !== undefined || !isOnline) return;
    isConnecting = true;
    let opened: Socket | undefined;
    // A secret of its own, so that its keys are its own on every connection.
    opened = await api.connect({ client: `secret-of-${name}`.padEnd(16, "_") }, (frame) => {
      if (opened !== undefined && opened === socket) receive(frame);
    });
    isConnecting = false;
    if (opened !== undefined && isOnline) return begin(opened);
    if (opened !== undefined) api.close(opened);
    time.after(random.between(300, 2_000), () => void connect());
  }

  function begin(opened: Socket): void {
    socket = opened;
    keepAlive = time.after(KEEP_ALIVE_MS, client.ping);
    for (const subscription of subscriptions.values()) subscription.connected();
  }

  function leave(how: "close" | "cut"): void {
    if (socket === undefined) return;
    const { id } = socket;
    endMemberships(journal, time.now(), ({ connection }) => connection === id);
    api[how](socket);
    socket = undefined;
    silence?.cancel();
    keepAlive?.cancel();
    const unanswered = [...waiting.values()];
    waiting.clear();
    for (const answer of unanswered) answer(undefined);
  }

  function receive(text: string): void {
    const frame = JSON.parse(text) as ServerFrame | { readonly type?: undefined };
    if (frame.type === "messages") {
      subscriptions.get(frame.topic)?.receive(frame);
      silence?.cancel();
      silence = time.after(SILENCE_MS, client.ping);
    } else if (frame.type === "closing") subscriptions.get(frame.topic ?? "")?.closing();
    else if (frame.type !== undefined && frame.type !== "direct") {
      waiting.get(frame.id ?? "")?.(frame);
      waiting.delete(frame.id ?? "");
    }
  }

  function request(fields: Request, forMs = REPLY_MS): Promise<Reply | undefined> {
    const over = socket;
    if (over === undefined) return Promise.resolve(undefined);
    lastId += 1;
    const id = `${name}-${lastId}`;
    return new Promise((resolve) => {
      const timeout = time.after(forMs, () => {
        waiting.delete(id);
        resolve(undefined);
      });
      waiting.set(id, (reply) => {
        timeout.cancel();
        if (reply?.type === "error" && reply.code === "not_found" && over.isOpen && over.isLinked) evicted(over);
        resolve(reply);
      });
      api.send(over, Object.assign({ id }, fields));
    });
  }

  /** The service doesn't know a connection that is alive. */
  function evicted({ id }: Socket): void {
    journal.violations.push(`${name} was evicted: its connection ${id} is alive, and unknown`);
    client.reconnect();
  }

  async function ask(): Promise<void> {
    const over = socket;
    if (over === undefined) return;
    keepAlive?.cancel();
    keepAlive = time.after(KEEP_ALIVE_MS, client.ping);
    const places: Record<string, Place> = {};
    for (const { topic, place } of subscriptions.values()) if (place !== undefined) places[topic] = place;
    const pong = await request({ action: "ping", places });
    if (over !== socket) return;
    if (pong?.type !== "pong") return pong === undefined ? client.reconnect() : undefined;
    for (const topic of pong.behind ?? []) subscriptions.get(topic)?.check();
  }

  const client: Client = {
    name,
    get socket() {
      return socket;
    },
    request,
    goOnline() {
      isOnline = true;
      void connect();
    },
    goOffline(how) {
      isOnline = false;
      leave(how);
    },
    reconnect() {
      leave("close");
      void connect();
    },
    subscribe(topic) {
      if (subscriptions.has(topic)) return;
      const end = () => subscriptions.delete(topic);
      const subscription = createSubscription({ ...options, client, topic, end });
      subscriptions.set(topic, subscription);
      subscription.connected();
    },
    unsubscribe: (topic) => subscriptions.get(topic)?.leave(),
    ping: () => void ask(),
    sent: (topic, epoch, messages) => subscriptions.get(topic)?.receive({ epoch, messages }),
    subscriptions: () => [...subscriptions.values()],
    isSettled: () =>
      socket !== undefined && waiting.size === 0 && client.subscriptions().every(({ isSettled }) => isSettled()),
  };
  return client;
}
