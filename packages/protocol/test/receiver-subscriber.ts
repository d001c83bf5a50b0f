import { expect } from "@jest/globals";
import { createReceiver, type Message, type Place, type Received, type ReceivedPage } from "../src/index.ts";
import type { MessagesOfTopic, TopicModel } from "./receiver-topic.ts";

/** Small, so that answers come in pages. */
const PAGE_LIMIT = 3;

/** What the client asks for first. */
export type Start = "plain" | "last" | Place;

/**
 * A receiver, and who checks all that it says against the topic: each message once, in order, none skipped without being reported as lost.
 */
export function createSubscriber(topic: TopicModel, start: Start, random: () => number) {
  const receiver = createReceiver(random);
  let now = 0;
  /** Of the last that was emitted, void or lost. */
  let reached: Place | undefined;

  function expectVoid(epoch: string, after: number, upTo: number) {
    if (upTo > after) expect(topic.heldBetween(epoch, after, upTo)).toEqual([]);
  }

  function follow(message: Message) {
    if (message.seq === undefined) return;
    const { epoch, seq } = reached as Place;
    // Plain comparisons, because there are millions.
    if (message.seq <= seq) throw new Error(`${message.seq} came after ${seq} of ${epoch}`);
    if (message !== topic.at({ epoch, seq: message.seq })) throw new Error(`${message.seq} is not of ${epoch}`);
    expectVoid(epoch, seq, message.seq - 1);
    reached = { epoch, seq: message.seq };
  }

  function observe({ messages, lost }: Received) {
    if (lost !== undefined) {
      expect(lost.after).toEqual(reached);
      reached = lost.place;
    }
    for (const message of messages) follow(message);
    if (receiver.place === undefined) return;
    const { epoch, seq } = receiver.place;
    expect(reached?.epoch).toBe(epoch);
    expect(seq).toBeGreaterThanOrEqual(reached?.seq ?? 0);
    expectVoid(epoch, reached?.seq ?? 0, seq);
    reached = receiver.place;
    expect(Object.keys(reached)).toEqual(["epoch", "seq"]);
  }

  function ackFirst(page: ReceivedPage, since: Place | undefined) {
    const received = receiver.ack(page, since, now);
    const firstSeq = received.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
    reached = since ?? { epoch: page.epoch, seq: Math.min(page.seq, firstSeq - 1) };
    observe(received);
  }

  function ack(page: ReceivedPage, since: Place | undefined) {
    if (receiver.place === undefined) return ackFirst(page, since);
    const before = receiver.place;
    const received = receiver.ack(page, since, now);
    if (received.lost !== undefined) {
      const age = topic.ageOf(received.lost.place.epoch) - topic.ageOf(before.epoch);
      expect(age > 0 || (age === 0 && received.lost.place.seq > before.seq)).toBe(true);
    }
    observe(received);
  }

  return {
    receiver,
    ack,
    get now() {
      return now;
    },
    wait(ms: number) {
      now += ms;
    },
    /** Nothing without a number is held back, dropped or made up. */
    receive(frame: MessagesOfTopic | { readonly messages: readonly Message[] }) {
      const received = receiver.receive(frame, now);
      const numberless = (messages: readonly Message[]) => messages.filter(({ seq }) => seq === undefined);
      expect(numberless(received.messages)).toEqual(numberless(frame.messages));
      if (receiver.place === undefined) expect(received.messages).toEqual(numberless(frame.messages));
      observe(received);
    },
    /** What a subscribe asks for, and how the service answers when it gets to it. */
    subscribe() {
      const since = receiver.place ?? (typeof start === "object" ? start : undefined);
      if (since !== undefined) return { since, answer: () => topic.since(since, PAGE_LIMIT) };
      return { since, answer: () => (start === "last" ? topic.last(PAGE_LIMIT) : topic.settled()) };
    },
    ask() {
      const since = receiver.ask(now);
      return since && { since, answer: () => topic.since(since, PAGE_LIMIT) };
    },
  };
}
