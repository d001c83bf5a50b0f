import { createReceiver, type Received, type Receiver } from "@topicast/protocol";
import { isPassing, TopicastError } from "./errors.ts";
import { createEvents } from "./events.ts";
import { iterate } from "./iterate.ts";
import type { Frame, Link } from "./link.ts";
import { createOutbox, type Item } from "./outbox.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import type { Message, Topic, TopicOptions } from "./types.ts";

/** A topic as its connection knows it: its subscription, over as many links as it takes. */
export interface Subscription {
  readonly topic: Topic;
  /** Has a link subscribe or unsubscribe, as it is wanted. */
  sync(link: Link): Promise<void>;
  /** The service may have ended the subscription: subscribe once more. */
  renew(link: Link | undefined): void;
  /** A frame of messages. */
  receive(frame: Frame): void;
  /** Its last message may have been lost: asks about it once when it falls silent. */
  heard(): void;
  /** Something newer is there. */
  check(): void;
  /** It is over, by what the service said. */
  refuse(code: string, message?: string): void;
}

/** `ping` asks the service whether there is anything newer. */
export function createTopic(
  name: string,
  start: TopicOptions,
  session: Session,
  settings: Settings,
  items: Set<Item>,
  ping: (link: Link, asked: readonly Subscription[]) => unknown,
): Subscription {
  /** What was silent for so long is asked about once: the loss of a last message leaves no gap. */
  const SILENCE_MS = 3_000;
  // Beside what applications listen to, `end`: it was left, or refused with an error.
  const { on, of, emit } = createEvents();
  const { now, random } = settings;
  /** There is one while it is wanted. */
  let receiver: Receiver | undefined;
  /** Another one when something else is wanted of the service. */
  let version: object | undefined;
  /** What each link has; the link itself while it is at it. */
  const versions = new WeakMap<Link, object | undefined>();
  let stopAsking: (() => void) | undefined;
  let stopPinging: (() => void) | undefined;
  /** A token may allow to subscribe and no history: then `subscribe` brings it too. */
  let askBy = "history";

  function want(isWanted: boolean): void {
    if (isWanted === !!receiver) return;
    receiver = isWanted ? createReceiver(random) : undefined;
    renew(session.link);
  }

  function renew(link: Link | undefined): void {
    version = {};
    if (link) void sync(link);
  }

  function refuse(code: string, message?: string): void {
    const error = new TopicastError(code, message);
    want(false);
    // Who listens to neither must not miss it.
    if (!(emit("error", error) + emit("end", error))) void Promise.reject(error);
  }

  function take({ messages, lost }: Received): void {
    if (lost) {
      emit("lost", lost);
      // It may be that the topic was deleted, and that the `closing` that says so is lost.
      renew(session.link);
    }
    for (const message of messages) {
      const { from } = message;
      // What has no payload is only the number of one's own that came with its acknowledgement.
      if ("payload" in message) emit("message", { ...message, me: !!from && from === session.you });
    }
    plan();
  }

  function receive(frame: Frame): void {
    if (!receiver) return;
    if (frame.epoch) heard();
    take(receiver.receive(frame, now()));
  }

  function plan(): void {
    stopAsking?.();
    const dueAt = receiver?.dueAt;
    if (dueAt) stopAsking = session.after(dueAt - now(), ask);
  }

  /** Asks for what follows the place, or where to begin. */
  async function request(link: Link, action: string): Promise<Frame> {
    const asked = receiver;
    const since = asked && (asked.place ?? start.since);
    const last = since ? undefined : start.last;
    const answer = await session.request(link, JSON.stringify({ action, topic: name, since, last }));
    if (asked && asked === receiver && !answer.code) {
      heard();
      take(asked.ack(answer, since, now()));
    }
    return answer;
  }

  /** Fills gaps; without a link it is done when it subscribes again. */
  async function ask(): Promise<void> {
    const { link } = session;
    if (!link) return;
    if (receiver?.ask(now())) {
      const { code, message } = await request(link, askBy);
      if (code && !isPassing(code)) {
        if (askBy === "subscribe") refuse(code, message);
        askBy = "subscribe";
      }
    }
    plan();
  }

  function heard(): void {
    stopPinging?.();
    stopPinging = session.after(SILENCE_MS * (1 + random()), () => {
      if (session.link) ping(session.link, [subscription]);
    });
  }

  async function sync(link: Link): Promise<void> {
    if (versions.get(link) === link) return;
    for (let tries = 0; !link.isOver && versions.get(link) !== version; tries++) {
      versions.set(link, link);
      const asked = receiver;
      const askedVersion = version;
      const answer = await request(link, asked ? "subscribe" : "unsubscribe");
      const { code, message } = answer;
      if (isPassing(code)) await session.pause(tries, answer);
      else {
        if (code && asked) refuse(code, message);
        versions.set(link, askedVersion);
        // Where one link takes over from another nothing has changed.
        if (asked && version === askedVersion && link === session.link) emit("subscribed");
      }
    }
    session.wake();
  }

  const topic: Topic = {
    name,
    get place() {
      return receiver?.place;
    },
    publish: createOutbox(
      name,
      session,
      settings,
      items,
      (link) => !receiver || versions.get(link) === version,
      receive,
    ),
    on(event: string, listener: (value: never) => void) {
      const off = on(event, listener as () => void);
      if (event !== "message") return off;
      want(true);
      return () => {
        off();
        if (!of(event).size) topic.unsubscribe();
      };
    },
    unsubscribe() {
      of("message").clear();
      want(false);
      emit("end");
    },
    [Symbol.asyncIterator]: () => iterate<Message>((put) => [topic.on("message", put), on("end", put)]),
  };

  const subscription: Subscription = {
    topic,
    sync,
    receive,
    heard,
    renew,
    check() {
      receiver?.check(now());
      plan();
    },
    refuse,
  };
  return subscription;
}
