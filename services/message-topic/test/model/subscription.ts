import { createReceiver, type Message, type Place, type Received } from "@topicast/protocol";
import type { Client, ClientOptions } from "./client.ts";
import type { Socket } from "./gateway.ts";
import { endMemberships, isDeletedSince, type Session } from "./journal.ts";
import type { Timer } from "./virtual-time.ts";

/** Few, so that a handful of messages comes in several pages. */
const PAGE_MESSAGES = 3;

/** A client's subscription of one topic, kept over reconnects by the receiver of the protocol. */
export interface Subscription {
  readonly topic: string;
  readonly place: Place | undefined;
  readonly session: Session;
  /** There is a connection: subscribe on it. */
  connected(): void;
  receive(frame: { readonly epoch?: string; readonly messages: readonly Message[] }): void;
  /** The service ended it: come back. */
  closing(): void;
  /** Something newer is there. */
  check(): void;
  leave(): void;
  isSettled(): boolean;
}

export interface SubscriptionOptions extends ClientOptions {
  readonly client: Client;
  readonly topic: string;
  /** It has left. */
  readonly end: () => void;
}

export function createSubscription({ client, topic, end, time, random, journal }: SubscriptionOptions): Subscription {
  const receiver = createReceiver(() => random.between(0, 99) / 100);
  const session: Session = {
    client: client.name,
    topic,
    subscribes: [],
    syncedAt: time.now(),
    steps: [],
    isOver: false,
  };
  journal.sessions.push(session);
  /** The connection that it is subscribed on, and the one that a subscribe is under way on. */
  let subscribedOn: Socket | undefined;
  let subscribingOn: Socket | undefined;
  /** Whether its subscription may have ended since the subscribe that is under way was sent. */
  let mayHaveEnded = false;
  let due: Timer | undefined;

  function took(received: Received): void {
    if (session.isOver) return;
    const { place } = receiver;
    if (received.messages.length > 0 || received.lost !== undefined)
      session.steps.push({ ...received, at: time.now(), place, syncedAt: session.syncedAt });
    due?.cancel();
    due = receiver.dueAt === undefined ? undefined : time.after(receiver.dueAt - time.now(), () => void ask());
    // The topic was deleted, and the `closing` that says so may have been lost.
    if (received.lost !== undefined && received.lost.after.epoch !== received.lost.place.epoch) comeBack();
  }

  function comeBack(): void {
    mayHaveEnded = true;
    void subscribe();
  }

  async function ask(): Promise<void> {
    const { socket } = client;
    if (session.isOver || socket === undefined || subscribedOn !== socket) return;
    const since = receiver.ask(time.now());
    took({ messages: [] });
    if (since === undefined) return;
    const reply = await client.request({ action: "history", topic, since, limit: PAGE_MESSAGES });
    if (reply?.type === "ack") acknowledged(reply as unknown as Page, since);
  }

  function acknowledged(page: Page, since: Place | undefined): void {
    if (since === undefined) session.began ??= { epoch: page.epoch, seq: page.seq };
    took(receiver.ack(page, since, time.now()));
    if (!page.more) session.syncedAt = time.now();
  }

  async function subscribe(): Promise<void> {
    const { socket } = client;
    if (session.isOver || socket === undefined || subscribingOn === socket) return;
    subscribingOn = socket;
    mayHaveEnded = false;
    const since = receiver.place;
    const sentAt = time.now();
    const reply = await client.request({ action: "subscribe", topic, ...(since && { since }) });
    if (subscribingOn !== socket) return;
    subscribingOn = undefined;
    if (session.isOver || client.socket !== socket) return;
    if (reply?.type === "ack") {
      const page = reply as unknown as Page;
      subscribedOn = socket;
      session.subscribes.push({ connection: socket.id, ackedAt: time.now() });
      if (!isDeletedSince(journal, topic, sentAt)) {
        const { epoch, seq } = page;
        journal.memberships.push({
          connection: socket.id,
          topic,
          place: { epoch, seq },
          from: time.now(),
          until: Infinity,
        });
      }
      acknowledged(page, since);
      if (mayHaveEnded) void subscribe();
    } else {
      subscribedOn = undefined;
      time.after(random.between(200, 1_000), () => void subscribe());
    }
  }

  async function unsubscribe(): Promise<void> {
    const { socket } = client;
    if (socket === undefined) return end();
    const reply = await client.request({ action: "unsubscribe", topic });
    // The subscription of a connection that ends, ends with it.
    if (reply?.type === "ack" || client.socket !== socket) end();
    else time.after(random.between(200, 1_000), () => void unsubscribe());
  }

  return {
    topic,
    session,
    get place() {
      return session.isOver ? undefined : receiver.place;
    },
    connected: () => void subscribe(),
    receive: (frame) => took(receiver.receive(frame, time.now())),
    closing: comeBack,
    check() {
      receiver.check(time.now());
      took({ messages: [] });
    },
    leave() {
      if (session.isOver) return;
      session.isOver = true;
      due?.cancel();
      const id = client.socket?.id;
      endMemberships(journal, time.now(), (one) => one.connection === id && one.topic === topic);
      void unsubscribe();
    },
    isSettled: () => session.isOver || (subscribedOn === client.socket && receiver.dueAt === undefined),
  };
}

interface Page extends Place {
  readonly recovered?: boolean;
  readonly messages?: readonly Message[];
  readonly more?: boolean;
}
