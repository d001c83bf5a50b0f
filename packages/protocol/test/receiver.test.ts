import { describe, expect, it } from "@jest/globals";
import { createReceiver, type Message, type Place, type Receiver } from "../src/index.ts";

const epoch = "k3f9";
const at = (seq: number): Place => ({ epoch, seq });
const message = (seq: number): Message => ({ seq, payload: seq, time: 0 });
const frame = (...seqs: number[]) => ({ epoch, messages: seqs.map(message) });
const foreign = (...seqs: number[]) => ({ epoch: "next", messages: seqs.map(message) });
/** An answer with all after `since`, up to a place. */
const page = (seq: number, ...seqs: number[]) => ({ ...at(seq), recovered: true, messages: seqs.map(message) });
const more = (seq: number, ...seqs: number[]) => ({ ...page(seq, ...seqs), more: true });
const gone = (place: Place) => ({ ...place, recovered: false });
const emitted = (...seqs: number[]) => ({ messages: seqs.map(message) });
const MIDDLE = 0.5;

/** One that has begun at 5, whose delays are neither shortened nor lengthened. */
function begun(random = MIDDLE): Receiver {
  const receiver = createReceiver(() => random);
  receiver.ack(at(5), undefined, 0);
  return receiver;
}

describe("a receiver before its first ack", () => {
  it("knows no place, wants nothing, and has nothing to check", () => {
    const receiver = createReceiver();
    receiver.check(0);

    expect(receiver).toMatchObject({ place: undefined, dueAt: undefined });
    expect(receiver.ask(1_000)).toBeUndefined();
  });

  it("holds what has a number, and emits what follows the place when the ack comes", () => {
    const receiver = createReceiver();

    expect(receiver.receive(frame(7, 5, 6), 0)).toEqual(emitted());
    expect(receiver.dueAt).toBeUndefined();
    expect(receiver.ack(at(5), undefined, 0)).toEqual(emitted(6, 7));
    expect(receiver).toMatchObject({ place: at(7), dueAt: undefined });
  });

  it("passes on what has no number", () => {
    const ephemeral = { messages: [{ payload: "here", time: 0 }] };

    expect(createReceiver().receive(ephemeral, 0)).toEqual(ephemeral);
  });

  it("begins with the newest where they were asked for", () => {
    const receiver = createReceiver();
    receiver.receive(frame(6), 0);

    expect(receiver.ack({ ...page(5, 2, 4), more: true }, undefined, 0)).toEqual(emitted(2, 4, 6));
    expect(receiver).toMatchObject({ place: at(6), dueAt: undefined });
  });

  it("begins after the place that the application kept", () => {
    const receiver = createReceiver();

    expect(receiver.ack(page(9, 6, 8), at(5), 0)).toEqual(emitted(6, 8));
    expect(receiver.place).toEqual(at(9));
  });

  it.each([
    ["can't be replayed", at(5), at(90)],
    ["is ahead of the topic", at(5), at(2)],
    ["is of another epoch", { epoch: "old", seq: 5 }, at(2)],
  ])("reports what is lost where that place %s", (_what, since, place) => {
    const receiver = createReceiver();

    expect(receiver.ack(gone(place), since, 0)).toEqual({ messages: [], lost: { after: since, place } });
    expect(receiver.place).toEqual(place);
  });
});

describe("a receiver emits", () => {
  it("each message once and in order", () => {
    const receiver = begun();

    expect(receiver.receive(frame(6), 0)).toEqual(emitted(6));
    expect(receiver.receive(frame(8, 6), 0)).toEqual(emitted());
    expect(receiver.receive(frame(5, 7, 8, 9), 0)).toEqual(emitted(7, 8, 9));
    expect(receiver).toMatchObject({ place: at(9), dueAt: undefined });
  });

  it("what has no number at once, beside a hole", () => {
    const receiver = begun();
    const position = { payload: "here", time: 0 };

    expect(receiver.receive({ epoch, messages: [message(7), position] }, 0)).toEqual({ messages: [position] });
  });

  it("nothing twice where the ack brings what was held, and at once what follows it", () => {
    const receiver = begun();
    receiver.receive(frame(7, 10), 0);

    expect(receiver.ack(page(9, 6, 7, 9), at(5), 0)).toEqual(emitted(6, 7, 9, 10));
    expect(receiver).toMatchObject({ place: at(10), dueAt: undefined });
  });

  it("the same messages that it was given, so that their owner knows them again", () => {
    const own = message(6);

    expect(begun().receive({ epoch, messages: [own] }, 0).messages[0]).toBe(own);
  });

  it("what history brings where more came early than it holds", () => {
    const receiver = begun();
    const early = Array.from({ length: 1_001 }, (_, i) => 7 + i);
    receiver.receive(frame(...early), 0);

    expect(receiver.receive(frame(6), 0).messages).toHaveLength(1_001);
    expect(receiver.place).toEqual(at(1_006));
    expect(receiver.dueAt).toBeDefined();
    expect(receiver.ask(1_000)).toEqual(at(1_006));
    expect(receiver.ack(page(1_007, 1_007), at(1_006), 1_000)).toEqual(emitted(1_007));
    expect(receiver.dueAt).toBeUndefined();
  });
});

describe("a receiver reports", () => {
  it("what is lost before it goes on with what follows", () => {
    const receiver = begun();
    receiver.receive(frame(9, 7), 0);

    expect(receiver.ack(gone(at(8)), at(5), 0)).toEqual({ ...emitted(9), lost: { after: at(5), place: at(8) } });
    expect(receiver).toMatchObject({ place: at(9), dueAt: undefined });
  });

  it("another epoch, and goes on with what came of it", () => {
    const receiver = begun();
    const place = { epoch: "next", seq: 1 };
    receiver.receive(foreign(1, 2), 0);
    receiver.ask(1_000);

    expect(receiver.ack(gone(place), at(5), 0)).toEqual({ ...emitted(2), lost: { after: at(5), place } });
    expect(receiver).toMatchObject({ place: { epoch: "next", seq: 2 }, dueAt: undefined });
  });
});

describe("a receiver ignores", () => {
  it.each([
    ["that a place is gone which it has passed", gone(at(9)), at(4)],
    ["an answer to a place of another epoch", { ...page(9, 9), epoch: "old" }, { epoch: "old", seq: 5 }],
    ["that a place of another epoch is gone", gone({ epoch: "old", seq: 9 }), { epoch: "other", seq: 5 }],
    ["an answer to a place that it has not reached", page(9, 9), at(8)],
    ["an answer that it has outrun", page(5, 4), at(3)],
    ["a page that it has outrun", more(9, 4), at(3)],
  ])("%s", (_what, answer, since) => {
    const receiver = begun();

    expect(receiver.ack(answer, since, 0)).toEqual(emitted());
    expect(receiver.place).toEqual(at(5));
  });

  it("a late ack of where to begin, as long as it says nothing new", () => {
    const receiver = begun();

    expect(receiver.ack(page(4, 3, 4), undefined, 0)).toEqual(emitted());
    expect(receiver).toMatchObject({ place: at(5), dueAt: undefined });
  });
});

describe("a receiver asks", () => {
  it.each([
    [0, 1_100],
    [MIDDLE, 1_200],
    [0.999, 1_299],
  ])("for a hole a moment later (jitter %d)", (random, dueAt) => {
    const receiver = begun(random);
    receiver.receive(frame(7), 1_000);

    expect(Math.floor(receiver.dueAt ?? 0)).toBe(dueAt);
    expect(receiver.ask(1_099)).toBeUndefined();
    expect(receiver.ask(1_300)).toEqual(at(5));
  });

  it("not for a hole that closed", () => {
    const receiver = begun();
    receiver.receive(frame(7), 0);
    receiver.receive(frame(6), 100);

    expect(receiver.dueAt).toBeUndefined();
    expect(receiver.ask(1_000)).toBeUndefined();
  });

  it("twice as late each time where that brings nothing, and at first again when it does", () => {
    const receiver = begun();
    receiver.receive(frame(7), 0);
    const waits = Array.from({ length: 6 }, () => {
      const now = receiver.dueAt ?? 0;
      receiver.ack(page(5), receiver.ask(now), now);
      return (receiver.dueAt ?? 0) - now;
    });
    expect(waits).toEqual([400, 800, 1_600, 3_200, 3_200, 3_200]);

    receiver.receive(frame(9), 20_000);
    receiver.receive(frame(6), 20_000);
    expect(receiver).toMatchObject({ place: at(7), dueAt: expect.any(Number) });
    expect(receiver.dueAt).toBeLessThanOrEqual(20_200);
  });

  it("for the next page at once, and until the last has come", () => {
    const receiver = begun();

    expect(receiver.ack(more(9, 6, 7), at(5), 1_000)).toEqual(emitted(6, 7));
    expect(receiver.dueAt).toBe(1_000);
    receiver.receive(frame(8), 1_000);
    expect(receiver.ask(1_000)).toEqual(at(8));
    expect(receiver.ack(page(9, 8, 9), at(7), 1_000)).toEqual(emitted(9));
    expect(receiver.dueAt).toBe(1_400);
    receiver.ack(page(9), at(9), 1_000);
    receiver.ack(page(9), receiver.ask(1_400), 1_400);
    expect(receiver.dueAt).toBeUndefined();
  });

  it("at once where a pong says that it is behind, until an answer to that says all", () => {
    const receiver = begun();
    receiver.check(1_000);
    // On its way before the pong: it can't know.
    receiver.ack(page(5), at(5), 1_000);
    receiver.receive(frame(6), 1_000);
    expect(receiver.dueAt).toBe(1_000);

    expect(receiver.ask(1_000)).toEqual(at(6));
    expect(receiver.ack(page(8, 7, 8), at(6), 1_100)).toEqual(emitted(7, 8));
    expect(receiver.dueAt).toBeUndefined();
  });

  it("no more where its first ask is answered, though it has asked again from further on", () => {
    const receiver = begun();
    receiver.check(0);
    receiver.ask(0);
    receiver.receive(frame(6), 100);

    expect(receiver.ask(1_000)).toEqual(at(6));
    expect(receiver.ack(page(6, 6), at(5), 1_000)).toEqual(emitted());
    expect(receiver.dueAt).toBeUndefined();
  });

  it("where a message is of an epoch that it doesn't know, which may be an older one", () => {
    const receiver = begun();
    receiver.receive(foreign(1), 0);

    expect(receiver.ask(200)).toEqual(at(5));
    receiver.ack(page(5), at(5), 300);
    expect(receiver.dueAt).toBeUndefined();
    expect(receiver.ack(gone({ epoch: "next", seq: 0 }), at(5), 300)).toMatchObject({ messages: [] });
  });

  it("again where such a message came after it had asked", () => {
    const receiver = begun();
    receiver.receive(frame(7), 0);
    receiver.ask(200);
    receiver.receive(foreign(1), 300);
    receiver.ack(page(7, 6, 7), at(5), 400);

    expect(receiver.ask(1_000)).toEqual(at(7));
    expect(receiver.ack(gone({ epoch: "next", seq: 0 }), at(7), 1_100)).toMatchObject(emitted(1));
  });

  it("again where a pong came after it had asked", () => {
    const receiver = begun();
    receiver.receive(frame(7), 0);
    receiver.ask(200);
    receiver.check(300);
    receiver.ack(page(7, 6, 7), at(5), 400);

    expect(receiver.ask(400)).toEqual(at(7));
  });

  it.each([
    ["is ahead", at(8)],
    ["is of another epoch", { epoch: "next", seq: 0 }],
  ])("where a late ack of where to begin %s", (_what, place) => {
    const receiver = begun();

    expect(receiver.ack(place, undefined, 1_000)).toEqual(emitted());
    expect(receiver).toMatchObject({ place: at(5), dueAt: 1_000 });
  });
});
