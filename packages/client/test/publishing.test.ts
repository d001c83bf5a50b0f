import { expect, it } from "@jest/globals";
import { TopicastError } from "@topicast/client";
import { collect, createHarness, payloadsOf } from "./client-harness.ts";

it("publishes, and gets its own message as its own", async () => {
  const { open, advance } = createHarness();
  const room = open().topic<{ x: number }>("room/1");
  const messages = collect(room);
  const published = room.publish({ x: 1 });
  await advance(50);
  await expect(published).resolves.toEqual({ epoch: "e1", seq: 1 });
  expect(messages).toEqual([
    { payload: { x: 1 }, me: true, seq: 1, from: expect.any(String), time: expect.any(Number) },
  ]);
});

it("sends what is published in one go as one batch, in order, and tells each its number", async () => {
  const { open, advance, service } = createHarness();
  const room = open().topic("room/1");
  await advance(50);
  const places = [1, 2, 3].map((n) => room.publish(n));
  await advance(50);
  expect(service.requests("publish").map(({ payloads }) => payloads)).toEqual([[1, 2, 3]]);
  expect((await Promise.all(places)).map((place) => place?.seq)).toEqual([1, 2, 3]);
});

it("with flushMs sends what is published in that time as one batch", async () => {
  const { open, advance, service } = createHarness();
  const room = open({ flushMs: 100 }).topic("room/1");
  await advance(50);
  for (const n of [1, 2, 3]) {
    void room.publish(n);
    await advance(30);
  }
  await advance(100);
  expect(service.requests("publish").map(({ payloads }) => payloads)).toEqual([[1, 2, 3]]);
});

it("gathers the next batch for flushMs as well, from its first publish on, and one that waited longer for its turn no more", async () => {
  const { open, advance, service, clock } = createHarness();
  const room = open({ flushMs: 100 }).topic("room/1");
  await advance(50);
  const startedAt = clock.now();
  const sent: (readonly [number, readonly number[]])[] = [];
  service.answer = ({ action, payloads }) => {
    if (action === "publish") sent.push([clock.now() - startedAt, payloads]);
    return undefined;
  };
  void room.publish(1);
  await advance(120);
  void room.publish(2);
  await advance(50);
  void room.publish(3);
  await advance(60);
  expect(sent).toEqual([
    [105, [1]],
    [225, [2, 3]],
  ]);
  service.latencyMs = () => 200;
  void room.publish(4);
  await advance(110);
  void room.publish(5);
  await advance(1_000);
  expect(sent.slice(2)).toEqual([
    [530, [4]],
    [930, [5]],
  ]);
});

it("keeps batches within 100 payloads and 32 KiB, and splits where options differ", async () => {
  const { open, advance, service } = createHarness();
  const room = open().topic("room/1");
  for (let n = 0; n < 120; n++) void room.publish(n);
  for (let n = 0; n < 3; n++) void room.publish("ä".repeat(7_000));
  void room.publish("quiet", { echo: false });
  void room.publish("quiet too", { echo: false });
  await advance(500);
  const publishes = service.requests("publish");
  expect(publishes.map(({ payloads }) => payloads.length)).toEqual([100, 22, 1, 2]);
  for (const request of publishes) expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThanOrEqual(32_768);
  expect(publishes.map(({ echo }) => echo)).toEqual([undefined, undefined, undefined, false]);
  expect(new Set(publishes.map(({ key }) => key)).size).toBe(4);
  for (const { key } of publishes) expect(key).toMatch(/^\w{16,64}$/);
});

it("sends the next batch of a topic when the last is answered, and never the later one first", async () => {
  const { open, advance, service } = createHarness();
  const room = open().topic<number>("room/1");
  const messages = collect(room);
  await advance(50);
  let refusals = 3;
  service.answer = ({ action }) =>
    action === "publish" && refusals-- > 0 ? { type: "error", code: "unavailable", message: "" } : undefined;
  for (const n of [1, 2, 3]) {
    void room.publish(n);
    await advance(1);
  }
  await advance(10_000);
  expect(payloadsOf(messages)).toEqual([1, 2, 3]);
});

it("keeps what is published while there is no connection, until there is one", async () => {
  const { open, advance, service } = createHarness();
  service.isDown = true;
  const cast = open();
  const room = cast.topic<number>("room/1");
  const messages = collect(room);
  const published = [1, 2].map((n) => room.publish(n));
  await advance(60_000);
  expect(service.requests("publish")).toEqual([]);
  service.isDown = false;
  await advance(60_000);
  await Promise.all(published);
  expect(payloadsOf(messages)).toEqual([1, 2]);
});

it("sends nothing ephemeral that was published while it was disconnected, and leaves the queue to the rest", async () => {
  const { open, advance, service, socket } = createHarness();
  const cast = open({ queueMax: 1 });
  const room = cast.topic<string>("room/1");
  const first = room.publish("before it ever was connected", { ephemeral: true });
  await advance(50);
  await first;
  service.isDown = true;
  socket().drop();
  await advance(50);
  expect(cast.state).toBe("disconnected");
  await expect(room.publish("where I was", { ephemeral: true })).resolves.toBeUndefined();
  await expect(room.publish("where I was", { latest: "alice" })).resolves.toBeUndefined();
  const kept = room.publish("what I said");
  service.isDown = false;
  await advance(60_000);
  await kept;
  const last = room.publish("where I am", { latest: "alice" });
  await advance(50);
  await last;
  expect(service.requests("publish").map(({ payloads }) => payloads)).toEqual([
    ["before it ever was connected"],
    ["what I said"],
    ["where I am"],
  ]);
});

it("refuses what the queue has no room for, and says that it may be tried again", async () => {
  const { open, service } = createHarness();
  service.isDown = true;
  const room = open({ queueMax: 2 }).topic("room/1");
  void room.publish(1);
  void room.publish(2);
  await expect(room.publish(3)).rejects.toMatchObject({ code: "queue_full", retryable: true });
});

it("refuses a payload that fits into no frame", async () => {
  const { open } = createHarness();
  const refused = open().topic("room/1").publish("x".repeat(32_000));
  await expect(refused).rejects.toMatchObject({ code: "payload_too_large", retryable: false });
  await expect(refused).rejects.toBeInstanceOf(TopicastError);
});

it("tries again with the same key until it is acknowledged, over whichever connection", async () => {
  const { open, advance, service, socket } = createHarness();
  const room = open().topic<string>("room/1");
  const messages = collect(room);
  await advance(50);
  const [first] = service.sockets;
  // It is published, and the answer is lost with the connection.
  service.answer = (request, at) => {
    if (request.action !== "publish" || at !== first) return undefined;
    const { requests } = service;
    at.drop();
    service.publish("room/1", request.payloads[0]);
    service.log("room/1").keys.set(request.key, { type: "ack", epoch: "e1", seq: 1 });
    expect(requests("publish")).toHaveLength(1);
    return null;
  };
  const published = room.publish("once");
  await advance(20_000);
  await expect(published).resolves.toEqual({ epoch: "e1", seq: 1 });
  const [one, other] = service.requests("publish");
  expect(socket()).not.toBe(first);
  expect(other.key).toBe(one.key);
  expect(payloadsOf(messages)).toEqual(["once"]);
});

it("rejects with what the service says", async () => {
  const { open, advance, service } = createHarness();
  service.answer = ({ action }) =>
    action === "publish" ? { type: "error", code: "forbidden", message: "This token may not." } : undefined;
  const refused = open().topic("room/1").publish(1);
  const seen = expect(refused).rejects.toMatchObject({
    code: "forbidden",
    message: "This token may not.",
    retryable: false,
  });
  await advance(100);
  await seen;
});

it("sends singly what was refused together, so that only the one at fault fails", async () => {
  const { open, advance, service } = createHarness();
  service.answer = ({ payloads }) =>
    payloads?.includes("bad") ? { type: "error", code: "payload_too_large", message: "no" } : undefined;
  const room = open().topic("room/1");
  const all = Promise.allSettled(["a", "bad", "b"].map((payload) => room.publish(payload)));
  await advance(200);
  expect((await all).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(service.log("room/1").messages.map(({ payload }) => payload)).toEqual(["a", "b"]);
});

it("waits as long as the service says where there was too much", async () => {
  const { open, advance, service, clock } = createHarness();
  const room = open().topic("room/1");
  await advance(50);
  const times: number[] = [];
  service.answer = ({ action }) => {
    if (action !== "publish") return undefined;
    times.push(clock.now());
    return times.length === 1 ? { type: "error", code: "rate_limited", message: "", retryAfter: 7_000 } : undefined;
  };
  const published = room.publish(1);
  await advance(10_000);
  await published;
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(7_000);
});

it("gives up before the service forgets the key, because a later try might publish twice", async () => {
  const { open, advance, service } = createHarness();
  const room = open().topic("room/1");
  await advance(50);
  service.answer = ({ action }) => (action === "publish" ? null : undefined);
  const failed = expect(room.publish(1)).rejects.toMatchObject({ code: "unavailable", retryable: true });
  await advance(330_000);
  await failed;
  const sent = service.requests("publish").length;
  expect(sent).toBeGreaterThan(3);
  await advance(600_000);
  expect(service.requests("publish")).toHaveLength(sent);
});

it("gives up too where there was no connection until the service had forgotten the key", async () => {
  const { open, advance, service, socket } = createHarness();
  const room = open().topic("room/1");
  await advance(50);
  service.answer = ({ action }) => (action === "publish" ? null : undefined);
  const failed = expect(room.publish(1)).rejects.toMatchObject({ code: "unavailable", retryable: true });
  await advance(50);
  service.isDown = true;
  socket().drop();
  await advance(600_000);
  service.isDown = false;
  await advance(60_000);
  await failed;
  expect(service.requests("publish")).toHaveLength(1);
});

it("sends ephemeral messages without waiting for one another, and they have no place", async () => {
  const { open, advance, service } = createHarness();
  const room = open().topic("room/1");
  const messages = collect(room);
  await advance(50);
  service.latencyMs = () => 100;
  const published = room.publish({ x: 1 }, { latest: "alice" });
  await advance(10);
  void room.publish({ x: 2 }, { latest: "alice" });
  await advance(105);
  expect(service.requests("publish").map(({ latest }) => latest)).toEqual(["alice", "alice"]);
  await advance(500);
  await expect(published).resolves.toBeUndefined();
  expect(messages.map(({ payload, seq }) => [payload, seq])).toEqual([
    [{ x: 1 }, undefined],
    [{ x: 2 }, undefined],
  ]);
});

it("doesn't get what it published with echo false, and misses nothing for that", async () => {
  const { open, advance, service } = createHarness();
  const room = open().topic<string>("room/1");
  const messages = collect(room);
  await advance(50);
  void room.publish("mine", { echo: false });
  void room.publish("mine too", { echo: false });
  await advance(50);
  service.publish("room/1", "another's");
  await advance(50);
  expect(payloadsOf(messages)).toEqual(["another's"]);
  await advance(60_000);
  expect(service.requests("history")).toEqual([]);
  expect(room.place?.seq).toBe(3);
});

it("rejects what waits when it is closed, and what comes after", async () => {
  const { open, advance, service } = createHarness();
  service.isDown = true;
  const cast = open();
  const room = cast.topic("room/1");
  const waiting = expect(room.publish(1)).rejects.toMatchObject({ code: "closed", retryable: false });
  await advance(50);
  cast.close();
  await waiting;
  await expect(room.publish(2)).rejects.toMatchObject({ code: "closed" });
});
