import {
  type AckFrame,
  type DirectFrame,
  decodeFrame,
  type ErrorFrame,
  type Fault,
  MAX_PLACES,
  type Message,
  type Place,
  type PongFrame,
  type Received,
  type ServerFrame,
} from "@topicast/protocol";
import { createTopicFeed, earliest, type Start, type TopicFeed, type TopicRequest } from "./topic-feed.ts";

/** Far below the ten minutes after which API Gateway cuts who says nothing, and routers before it. */
const KEEP_ALIVE_MS = 60_000;
/** A connection that is silent so long after a ping is dead. */
const PONG_MS = 10_000;

export interface PingRequest {
  readonly action: "ping";
  readonly places?: Readonly<Record<string, Place>>;
}

/** What came of a frame, in order. */
export type Happening =
  | { readonly kind: "subscribed"; readonly topic: string; readonly you: string | undefined }
  /** Each once, in order. `epoch` is that of the numbered ones. */
  | {
      readonly kind: "messages";
      readonly topic: string;
      readonly epoch: string | undefined;
      readonly messages: readonly Message[];
    }
  | { readonly kind: "direct"; readonly frame: DirectFrame }
  /** Messages after a place, up to another, that can't be had any more. */
  | { readonly kind: "lost"; readonly topic: string; readonly after: Place; readonly place: Place }
  | { readonly kind: "refused"; readonly topic: string; readonly fault: Fault }
  /** The service ended the subscription, or the connection where there is no topic. */
  | { readonly kind: "ended"; readonly topic?: string; readonly reason: string }
  /** This connection is of no more use, another one is. */
  | { readonly kind: "disconnected"; readonly reason?: string };

/** Some topics' subscriptions, over as many connections as it takes. It has no timer and sends nothing: its owner does. */
export interface Feed {
  /** Unix ms at which `ask` has something to send, or `isDead` may be true. */
  readonly dueAt: number | undefined;
  /** There is a new connection. */
  begin(now: number): void;
  receive(text: string, now: number): readonly Happening[];
  /** What to send now. */
  ask(now: number): readonly (TopicRequest | PingRequest)[];
  /** Whether the connection leaves pings unanswered. */
  isDead(now: number): boolean;
}

export interface FeedOptions {
  readonly topics: readonly string[];
  readonly start: Start;
  readonly random?: () => number;
}

export function createFeed({ topics, start, random = Math.random }: FeedOptions): Feed {
  const feeds = new Map<string, TopicFeed>(topics.map((topic) => [topic, createTopicFeed({ topic, start, random })]));
  let pingAt: number | undefined;
  let pongBy: number | undefined;

  function receivedOf(topic: string, feed: TopicFeed, { messages, lost }: Received): Happening[] {
    return [
      ...(lost === undefined ? [] : [{ kind: "lost", topic, ...lost } as const]),
      ...(messages.length === 0 ? [] : [{ kind: "messages", topic, epoch: feed.place?.epoch, messages } as const]),
    ];
  }

  function answer(frame: AckFrame | ErrorFrame, now: number): Happening[] {
    const feed = feeds.get(frame.topic ?? "");
    if (frame.topic === undefined || feed === undefined) return answerToPing(frame);
    const answered = feed.answer(frame, now);
    if (answered.status === "refused") return [{ kind: "refused", topic: frame.topic, fault: answered.fault }];
    if (answered.status === "disconnected") return [{ kind: "disconnected" }];
    if (answered.status === "pending") return [];
    const you = frame.type === "ack" ? frame.you : undefined;
    const subscribed: Happening[] = answered.isNew ? [{ kind: "subscribed", topic: frame.topic, you }] : [];
    return [...subscribed, ...receivedOf(frame.topic, feed, answered.received)];
  }

  function checkBehind({ behind = [] }: PongFrame, now: number): Happening[] {
    for (const topic of behind) feeds.get(topic)?.check(now);
    return [];
  }

  function close(topic: string | undefined, reason: string, reconnect: boolean, now: number): Happening[] {
    if (topic === undefined) return [reconnect ? { kind: "disconnected", reason } : { kind: "ended", reason }];
    const feed = feeds.get(topic);
    if (feed === undefined) return [];
    if (!reconnect) feeds.delete(topic);
    else feed.begin(now);
    return reconnect ? [] : [{ kind: "ended", topic, reason }];
  }

  function understand(frame: ServerFrame, now: number): Happening[] {
    const feed = "topic" in frame ? feeds.get(frame.topic ?? "") : undefined;
    switch (frame.type) {
      case "messages":
        return feed === undefined ? [] : receivedOf(frame.topic, feed, feed.receive(frame, now));
      case "ack":
      case "error":
        return answer(frame, now);
      case "pong":
        return checkBehind(frame, now);
      case "direct":
        return [{ kind: "direct", frame }];
      case "closing":
        return close(frame.topic, frame.reason, frame.reconnect, now);
    }
  }

  /** Of the topics about which it is time to ask. */
  function pings(now: number): PingRequest[] {
    const isKeepAlive = pingAt !== undefined && pingAt <= now;
    const asking = [...feeds].filter(([, feed]) => feed.askWhetherSilent(now) || isKeepAlive);
    const places = asking.flatMap(([topic, { place }]) => (place === undefined ? [] : [[topic, place] as const]));
    if (!isKeepAlive && places.length === 0) return [];
    pingAt = now + KEEP_ALIVE_MS;
    pongBy ??= now + PONG_MS;
    if (places.length === 0) return [{ action: "ping" }];
    const count = Math.ceil(places.length / MAX_PLACES);
    return Array.from({ length: count }, (_, at) => {
      const some = places.slice(at * MAX_PLACES, (at + 1) * MAX_PLACES);
      return { action: "ping", places: Object.fromEntries(some) };
    });
  }

  return {
    get dueAt() {
      return earliest([pingAt, pongBy, ...[...feeds.values()].map(({ dueAt }) => dueAt)]);
    },
    begin(now) {
      pingAt = now + KEEP_ALIVE_MS;
      pongBy = undefined;
      for (const feed of feeds.values()) feed.begin(now);
    },
    receive(text, now) {
      pongBy = undefined;
      const frame = decodeFrame(text);
      return frame === undefined ? [] : understand(frame, now);
    },
    ask(now) {
      const requests = [...feeds.values()].flatMap((feed) => feed.ask(now) ?? []);
      return [...requests, ...pings(now)];
    },
    isDead: (now) => pongBy !== undefined && pongBy <= now,
  };
}

/** A ping that failed is made good by the next; one that says that the connection isn't known any more was the last. */
function answerToPing({ type, ...frame }: AckFrame | ErrorFrame): Happening[] {
  const isUnknown = type === "error" && "code" in frame && ["unauthorized", "not_found"].includes(frame.code);
  return isUnknown ? [{ kind: "disconnected" }] : [];
}
