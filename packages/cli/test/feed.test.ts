import { describe, expect, it } from "@jest/globals";
import type { ServerFrame } from "@topicast/protocol";
import { createFeed, type Feed } from "../src/feed.ts";
import type { Start } from "../src/topic-feed.ts";

const EPOCH = "k3f9";

/** A feed that stands at the time 0, with a jitter of nothing. */
function begun(topics: readonly string[], start: Start = {}): Feed {
  const feed = createFeed({ topics, start, random: () => 0.5 });
  feed.begin(0);
  return feed;
}

function receive(feed: Feed, frame: ServerFrame, now = 0) {
  return feed.receive(JSON.stringify(frame), now);
}

/** Subscribes, at the place `seq`. */
function subscribe(feed: Feed, topic = "room/1", seq = 5, now = 0) {
  const request = feed.ask(now).find((asked) => "topic" in asked && asked.topic === topic);
  const id = request !== undefined && "id" in request ? request.id : "";
  return receive(feed, { type: "ack", id, action: "subscribe", topic, epoch: EPOCH, seq, you: "me" }, now);
}

const messages = (...seqs: number[]): ServerFrame => ({
  type: "messages",
  topic: "room/1",
  epoch: EPOCH,
  messages: seqs.map((seq) => ({ seq, payload: seq, time: 0 })),
});

describe("a feed", () => {
  it("subscribes at once, to each topic, with what its start says", () => {
    expect(begun(["a", "b"]).ask(0)).toEqual([
      { action: "subscribe", id: "1", topic: "a" },
      { action: "subscribe", id: "1", topic: "b" },
    ]);
    expect(begun(["a"], { last: 3 }).ask(0)).toEqual([{ action: "subscribe", id: "1", topic: "a", last: 3 }]);
    const since = { epoch: EPOCH, seq: 2 };
    expect(begun(["a"], { since }).ask(0)).toEqual([{ action: "subscribe", id: "1", topic: "a", since }]);
  });

  it("subscribes again from its place on the next connection, and drops what it has seen", () => {
    const feed = begun(["room/1"], { last: 3 });
    expect(subscribe(feed)).toMatchObject([{ kind: "subscribed" }]);
    receive(feed, messages(6));
    feed.begin(1_000);

    expect(feed.ask(1_000)).toMatchObject([{ action: "subscribe", since: { epoch: EPOCH, seq: 6 } }]);
    expect(receive(feed, messages(6, 7), 1_000)).toMatchObject([{ kind: "messages", messages: [{ seq: 7 }] }]);
  });

  it("asks again where a subscribe isn't answered, or was refused for now", () => {
    const feed = begun(["room/1"]);
    feed.ask(0);
    expect(feed.dueAt).toBe(10_000);
    const again = feed.ask(10_000);
    expect(again).toMatchObject([{ action: "subscribe", id: "2" }]);
    const refused = { type: "error", id: "2", action: "subscribe", topic: "room/1", message: "" } as const;
    receive(feed, { ...refused, code: "rate_limited", retryAfter: 700 }, 10_000);

    expect(feed.dueAt).toBe(11_000);
    expect(feed.ask(10_999)).toEqual([]);
    expect(feed.ask(11_000)).toMatchObject([{ action: "subscribe", id: "3" }]);
  });

  it("fills a gap by history, or by subscribe where the token allows no history", () => {
    const feed = begun(["room/1"]);
    subscribe(feed);
    expect(receive(feed, messages(7))).toEqual([]);
    expect(feed.dueAt).toBe(200);
    const since = { epoch: EPOCH, seq: 5 };
    expect(feed.ask(200)).toEqual([{ action: "history", id: "2", topic: "room/1", since }]);
    const error = {
      type: "error",
      id: "2",
      action: "history",
      topic: "room/1",
      code: "forbidden",
      message: "",
    } as const;
    expect(receive(feed, error, 210)).toEqual([]);
    const dueAt = Number(feed.dueAt);
    expect(feed.ask(dueAt)).toEqual([{ action: "subscribe", id: "3", topic: "room/1", since }]);

    const page = {
      epoch: EPOCH,
      seq: 7,
      recovered: true,
      more: false,
      messages: [6, 7].map((seq) => ({ seq, payload: seq, time: 0 })),
    };
    expect(receive(feed, { type: "ack", id: "3", action: "subscribe", topic: "room/1", ...page }, dueAt)).toMatchObject(
      [{ kind: "messages", epoch: EPOCH, messages: [{ seq: 6 }, { seq: 7 }] }],
    );
  });

  it("says what is lost, and subscribes anew where history tells of a new epoch", () => {
    const feed = begun(["room/1"]);
    subscribe(feed);
    receive(feed, messages(7));
    feed.ask(200);
    const page = { epoch: "next", seq: 2, recovered: false };
    expect(receive(feed, { type: "ack", id: "2", action: "history", topic: "room/1", ...page }, 300)).toEqual([
      { kind: "lost", topic: "room/1", after: { epoch: EPOCH, seq: 5 }, place: { epoch: "next", seq: 2 } },
    ]);
    expect(feed.ask(300)).toMatchObject([{ action: "subscribe", since: { epoch: "next", seq: 2 } }]);
  });

  it("asks about the tail of a topic that fell silent, once, and fills what is behind at once", () => {
    const feed = begun(["room/1", "room/2"]);
    for (const topic of ["room/1", "room/2"]) {
      feed.begin(0);
      subscribe(feed, topic);
    }
    const quiet = begun(["room/1"]);
    subscribe(quiet);
    receive(quiet, messages(6), 1_000);
    expect(quiet.dueAt).toBe(5_000);
    expect(quiet.ask(5_000)).toEqual([{ action: "ping", places: { "room/1": { epoch: EPOCH, seq: 6 } } }]);
    receive(quiet, { type: "pong", behind: ["room/1"] }, 5_010);

    expect(quiet.ask(5_010)).toMatchObject([{ action: "history", since: { epoch: EPOCH, seq: 6 } }]);
    expect(quiet.ask(5_011)).toEqual([]);
  });

  it("pings every minute with at most 50 places each, and takes a connection for dead that stays silent", () => {
    const topics = Array.from({ length: 60 }, (_, n) => `t/${n}`);
    const feed = begun(topics);
    for (const [at, request] of feed.ask(0).entries()) {
      const id = "id" in request ? request.id : "";
      receive(feed, { type: "ack", id, action: "subscribe", topic: topics[at] as string, epoch: EPOCH, seq: at });
    }
    expect(feed.dueAt).toBe(60_000);
    const pings = feed.ask(60_000);
    expect(pings.map((ping) => Object.keys("places" in ping ? (ping.places ?? {}) : {}).length)).toEqual([50, 10]);

    expect(feed.dueAt).toBe(70_000);
    expect(feed.isDead(69_999)).toBe(false);
    expect(feed.isDead(70_000)).toBe(true);
    receive(feed, { type: "pong" }, 69_999);
    expect(feed.isDead(70_000)).toBe(false);
    expect(feed.dueAt).toBe(120_000);
  });

  it("honours `closing`: back where it may, to the end where not", () => {
    const feed = begun(["room/1"]);
    subscribe(feed);
    const closing = { type: "closing", reason: "deleted" } as const;

    expect(receive(feed, { ...closing, topic: "room/1", reconnect: true }, 10)).toEqual([]);
    expect(feed.ask(10)).toMatchObject([{ action: "subscribe" }]);
    expect(receive(feed, { ...closing, reconnect: true })).toEqual([{ kind: "disconnected", reason: "deleted" }]);
    expect(receive(feed, { ...closing, reconnect: false })).toEqual([{ kind: "ended", reason: "deleted" }]);
    expect(receive(feed, { ...closing, topic: "room/1", reconnect: false })).toMatchObject([
      { kind: "ended", topic: "room/1" },
    ]);
  });

  it("tells a refusal for good from a connection that the service knows no more", () => {
    const feed = begun(["room/1"]);
    const [request] = feed.ask(0);
    const id = request !== undefined && "id" in request ? request.id : "";
    const error = { type: "error", id, action: "subscribe", topic: "room/1", message: "No." } as const;
    expect(receive(feed, { ...error, id: "another", code: "forbidden" })).toEqual([]);
    expect(receive(feed, { ...error, code: "forbidden" })).toEqual([
      { kind: "refused", topic: "room/1", fault: { code: "forbidden", message: "No." } },
    ]);
    expect(receive(feed, { type: "error", action: "ping", code: "unauthorized", message: "" })).toEqual([
      { kind: "disconnected" },
    ]);
  });

  it.each(["", "{}", "[]", "no JSON", '{"type":"news"}', '{"message":"Internal server error","connectionId":"x"}'])(
    "ignores %j",
    (text) => {
      expect(begun(["room/1"]).receive(text, 0)).toEqual([]);
    },
  );
});
