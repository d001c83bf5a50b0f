import {
  type AckFrame,
  createReceiver,
  type ErrorFrame,
  type Fault,
  type Message,
  type Place,
  type Received,
} from "@topicast/protocol";
import { isRetryable } from "./command-error.ts";
import { retryDelayMs } from "./retries.ts";

/** After which a subscribe that nobody answers is sent again. */
const ANSWER_MS = 10_000;
/** Once after so much silence it asks whether the last message was the last: that one's loss leaves no gap. */
const SILENCE_MS = 4_000;

/** Where a subscription begins: with all after a place, with the newest messages, or with what comes from now on. */
export type Start = { readonly since: Place } | { readonly last: number } | Record<never, never>;

export interface TopicRequest {
  readonly action: "subscribe" | "history";
  readonly id: string;
  readonly topic: string;
  readonly since?: Place;
  readonly last?: number;
}

/** What an answer meant. */
export type Answered =
  | { readonly status: "received"; readonly received: Received; readonly isNew: boolean }
  /** It is asked again when the time has come, or was an answer to nothing. */
  | { readonly status: "pending" }
  /** The service doesn't know this connection any more, or its token. */
  | { readonly status: "disconnected" }
  | { readonly status: "refused"; readonly fault: Fault };

const PENDING = { status: "pending" } as const;

/** One topic's subscription, over as many connections as it takes. It has no timer and sends nothing: its owner does. */
export interface TopicFeed {
  readonly place: Place | undefined;
  /** Unix ms at which `ask` or `askWhetherSilent` has something; undefined where it waits for the service. */
  readonly dueAt: number | undefined;
  /** Subscribes anew: on a new connection, or after the topic was deleted. */
  begin(now: number): void;
  receive(frame: { readonly epoch?: string; readonly messages: readonly Message[] }, now: number): Received;
  answer(frame: AckFrame | ErrorFrame, now: number): Answered;
  /** A pong said that it misses something. */
  check(now: number): void;
  /** The request that is due. */
  ask(now: number): TopicRequest | undefined;
  /** Whether it has just been silent for long enough to ask `ping` about its place; true once for each silence. */
  askWhetherSilent(now: number): boolean;
}

export interface TopicFeedOptions {
  readonly topic: string;
  readonly start: Start;
  /** For the jitter: from 0 up to 1. */
  readonly random: () => number;
}

export function createTopicFeed({ topic, start, random }: TopicFeedOptions): TopicFeed {
  const receiver = createReceiver(random);
  /** The places that were asked from, by the request's id. */
  const asked = new Map<string, Place | undefined>();
  let requests = 0;
  let isSubscribed = false;
  let subscribeAt: number | undefined;
  let attempts = 0;
  let silentAt: number | undefined;
  /** What a gap is asked for with. A token may allow to subscribe and no history: then `subscribe` brings it. */
  let action: TopicRequest["action"] = "history";

  function request(action: TopicRequest["action"], from: Start): TopicRequest {
    requests += 1;
    const id = `${requests}`;
    asked.set(id, "since" in from ? from.since : undefined);
    return { action, id, topic, ...from };
  }

  function refuse({ id, type, action: refused, topic: _, ...fault }: ErrorFrame, now: number): Answered {
    if (fault.code === "unauthorized" || fault.code === "not_found") return { status: "disconnected" };
    if (isRetryable(fault.code)) {
      attempts += 1;
      if (refused === "subscribe") subscribeAt = now + retryDelayMs(attempts, random, fault.retryAfter);
      return PENDING;
    }
    if (refused !== "history") return { status: "refused", fault };
    action = "subscribe";
    return PENDING;
  }

  return {
    get place() {
      return receiver.place;
    },
    get dueAt() {
      const times = [subscribeAt, isSubscribed ? receiver.dueAt : undefined, silentAt];
      return earliest(times);
    },
    begin(now) {
      isSubscribed = false;
      subscribeAt = now;
      attempts = 0;
    },
    receive(frame, now) {
      if (frame.epoch !== undefined) silentAt = now + SILENCE_MS;
      return receiver.receive(frame, now);
    },
    answer(frame, now) {
      const { id = "" } = frame;
      if (!asked.has(id)) return PENDING;
      const since = asked.get(id);
      asked.delete(id);
      if (frame.type === "error") return refuse(frame, now);
      const { epoch, seq } = frame;
      const isNew = !isSubscribed && frame.action === "subscribe";
      if (isNew) {
        isSubscribed = true;
        subscribeAt = undefined;
      }
      attempts = 0;
      if (epoch === undefined || seq === undefined) return { status: "received", received: { messages: [] }, isNew };
      const received = receiver.ack({ ...frame, epoch, seq }, since, now);
      // A new epoch says that the topic was deleted, and with it this subscription; that `closing` may have been lost.
      if (frame.action === "history" && received.lost && received.lost.after.epoch !== epoch) subscribeAt = now;
      return { status: "received", received, isNew };
    },
    check: (now) => receiver.check(now),
    ask(now) {
      if (subscribeAt !== undefined) {
        if (subscribeAt > now) return undefined;
        subscribeAt = now + ANSWER_MS;
        return request("subscribe", receiver.place === undefined ? start : { since: receiver.place });
      }
      const since = isSubscribed ? receiver.ask(now) : undefined;
      return since && request(action, { since });
    },
    askWhetherSilent(now) {
      if (silentAt === undefined || silentAt > now) return false;
      silentAt = undefined;
      return true;
    },
  };
}

/** The first of some times, of which any may be undefined. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce((first, time) => (first === undefined || (time !== undefined && time < first) ? time : first));
}
