import { expect, it } from "@jest/globals";
import type { Lost } from "@topicast/client";
import { settle } from "@topicast/testing";
import { collect, createHarness, payloadsOf } from "./client-harness.ts";

it("gives each message once and in order, whatever comes twice, early, or not at all", async () => {
  const { open, advance, service, socket } = createHarness();
  const messages = collect(open().topic("room/1"));
  await advance(50);
  let n = 0;
  service.isLost = () => ++n === 2;
  service.latencyMs = () => (n === 3 ? 40 : 5);
  for (let k = 1; k <= 5; k++) service.publish("room/1", k);
  const [third] = service.log("room/1").messages.slice(2);
  socket().deliver({ type: "messages", topic: "room/1", epoch: "e1", messages: [third] });
  await advance(60);
  expect(payloadsOf(messages)).toEqual([1]);
  expect(service.requests("history")).toEqual([]);
  await advance(300);
  expect(service.requests("history")).toHaveLength(1);
  expect(payloadsOf(messages)).toEqual([1, 2, 3, 4, 5]);
});

it("comes back from its place after a lost connection", async () => {
  const { open, advance, service, socket } = createHarness();
  const messages = collect(open().topic("room/1"));
  await advance(50);
  service.publish("room/1", 1);
  await advance(50);
  socket().drop();
  for (let k = 2; k <= 250; k++) service.publish("room/1", k);
  await advance(2_000);
  expect(payloadsOf(messages)).toEqual(Array.from({ length: 250 }, (_, at) => at + 1));
  expect(service.requests("subscribe").at(-1).since).toEqual({ epoch: "e1", seq: 1 });
});

it("says what is lost where history has it no more, and goes on behind it", async () => {
  const { open, advance, service, socket } = createHarness();
  const room = open().topic("room/1");
  const messages = collect(room);
  const losses: Lost[] = [];
  room.on("lost", (lost) => losses.push(lost));
  await advance(50);
  service.publish("room/1", 1);
  await advance(50);
  socket().drop();
  for (let k = 2; k <= 5; k++) service.publish("room/1", k);
  service.log("room/1").forgotten = 4;
  await advance(2_000);
  service.publish("room/1", 6);
  await advance(50);
  expect(payloadsOf(messages)).toEqual([1, 6]);
  expect(losses).toEqual([{ after: { epoch: "e1", seq: 1 }, place: { epoch: "e1", seq: 5 } }]);
});

it("asks once after a topic fell silent, so that a lost last message comes", async () => {
  const { open, advance, service } = createHarness();
  const cast = open();
  const messages = collect(cast.topic("room/1"));
  const other = collect(cast.topic("room/2"));
  await advance(20_000);
  const before = service.requests("ping").length;
  service.publish("room/1", 1);
  service.isLost = (_, { topic }) => topic === "room/1";
  service.publish("room/1", 2);
  for (let k = 0; k < 20; k++) {
    service.publish("room/2", k);
    await advance(500);
  }
  expect(payloadsOf(messages)).toEqual([1, 2]);
  expect(other).toHaveLength(20);
  await advance(60_000);
  expect(service.requests("ping").length - before).toBeLessThanOrEqual(3);
});

it("finds a lost last message of a topic that was silent with the keep-alive", async () => {
  const { open, advance, service } = createHarness();
  const messages = collect(open({ pingMs: 60_000 }).topic("room/1"));
  await advance(20_000);
  service.isLost = () => true;
  service.publish("room/1", 1);
  await advance(60_000);
  expect(payloadsOf(messages)).toEqual([1]);
});

it("asks about a lost last message again where the question is lost too", async () => {
  const { open, advance, service } = createHarness();
  const messages = collect(open().topic("room/1"));
  await advance(50);
  let pings = 0;
  service.answer = ({ action }) =>
    action === "ping" && pings++ < 2 ? { type: "error", code: "unavailable" } : undefined;
  service.isLost = () => true;
  service.publish("room/1", 1);
  await advance(30_000);
  expect(payloadsOf(messages)).toEqual([1]);
});

it("asks about at most 50 topics at a time", async () => {
  const { open, advance, service } = createHarness();
  const cast = open();
  for (let n = 0; n < 120; n++) collect(cast.topic(`room/${n}`));
  await advance(20_000);
  const before = service.requests("ping").length;
  await advance(120_000);
  const sizes = service
    .requests("ping")
    .slice(before)
    .map(({ places }) => Object.keys(places).length);
  expect(sizes).toEqual([50, 50, 20]);
});

it("subscribes again when the topic was deleted, also where it isn't told", async () => {
  const { open, advance, service, socket } = createHarness();
  const room = open().topic("room/1");
  const messages = collect(room);
  let losses = 0;
  room.on("lost", () => losses++);
  await advance(50);
  service.publish("room/1", 1);
  await advance(50);
  service.remove("room/1");
  await advance(50);
  service.publish("room/1", 2);
  await advance(50);
  expect([losses, payloadsOf(messages)]).toEqual([1, [1, 2]]);
  socket().topics.clear();
  service.remove("room/1");
  await advance(200_000);
  service.publish("room/1", 3);
  await advance(50);
  expect([losses, payloadsOf(messages)]).toEqual([2, [1, 2, 3]]);
});

it("fills gaps by subscribing where the token allows no history", async () => {
  const { open, advance, service } = createHarness();
  const messages = collect(open().topic("room/1"));
  await advance(50);
  service.answer = ({ action }) =>
    action === "history" ? { type: "error", code: "forbidden", message: "" } : undefined;
  let n = 0;
  service.isLost = () => ++n === 1;
  service.publish("room/1", 1);
  service.publish("room/1", 2);
  await advance(2_000);
  expect(payloadsOf(messages)).toEqual([1, 2]);
});

it("begins with the newest, or after a place, where that is asked for", async () => {
  const { open, advance, service } = createHarness();
  for (let k = 1; k <= 5; k++) service.publish("room/1", k);
  const cast = open();
  const newest = collect(cast.topic("room/1", { last: 2 }));
  for (let k = 1; k <= 5; k++) service.publish("room/2", k);
  const later = collect(cast.topic("room/2", { since: { epoch: "e2", seq: 1 } }));
  await advance(50);
  expect(payloadsOf(newest)).toEqual([4, 5]);
  expect(payloadsOf(later)).toEqual([2, 3, 4, 5]);
});

it("tries to subscribe again while the service can't, and tells when it is subscribed", async () => {
  const { open, advance, service } = createHarness();
  let refusals = 3;
  service.answer = ({ action }) =>
    action === "subscribe" && refusals-- > 0 ? { type: "error", code: "internal", message: "" } : undefined;
  const room = open().topic("room/1");
  let times = 0;
  room.on("subscribed", () => times++);
  collect(room);
  await advance(10_000);
  expect(service.requests("subscribe")).toHaveLength(4);
  expect(times).toBe(1);
});

it("is an error where the service refuses to subscribe, and the end of the loop", async () => {
  const { open, advance, service } = createHarness();
  const fault = { type: "error", code: "forbidden", message: "This token may not subscribe to room/1." };
  service.answer = ({ action }) => (action === "subscribe" ? fault : undefined);
  const room = open().topic("room/1");
  const errors: Error[] = [];
  room.on("error", (error) => errors.push(error));
  const next = expect(room[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "forbidden" });
  await advance(100);
  await next;
  expect(errors).toMatchObject([{ code: "forbidden", message: fault.message, retryable: false }]);
  service.answer = () => undefined;
  const messages = collect(room);
  await advance(100);
  service.publish("room/1", "later");
  await advance(100);
  expect(payloadsOf(messages)).toEqual(["later"]);
});

it("is given by for await, which leaves the topic when it ends", async () => {
  const { open, advance, service, socket } = createHarness();
  const room = open().topic<number>("room/1");
  const seen: number[] = [];
  const reading = (async () => {
    for await (const { payload } of room) {
      seen.push(payload);
      if (payload === 3) break;
    }
  })();
  await advance(50);
  for (let k = 1; k <= 4; k++) service.publish("room/1", k);
  await advance(50);
  await reading;
  await advance(50);
  expect(seen).toEqual([1, 2, 3]);
  expect(socket().topics.size).toBe(0);
});

it("ends for await where the topic is left, or the connection closed", async () => {
  const { open, advance } = createHarness();
  const cast = open();
  const rooms = [cast.topic("room/1"), cast.topic("room/2")];
  const ends = rooms.map((room) => room[Symbol.asyncIterator]().next());
  await advance(50);
  rooms[0]!.unsubscribe();
  await expect(ends[0]).resolves.toEqual({ done: true, value: undefined });
  cast.close();
  await expect(ends[1]).resolves.toEqual({ done: true, value: undefined });
});

it("leaves with its last listener, and comes again with the next, whatever is still under way", async () => {
  const { open, advance, service, socket } = createHarness();
  const room = open().topic("room/1");
  const offs = [room.on("message", () => {}), room.on("message", () => {})];
  await advance(50);
  offs[0]!();
  await advance(50);
  expect(socket().topics.size).toBe(1);
  offs[1]!();
  await settle();
  const messages = collect(room);
  await advance(3);
  room.unsubscribe();
  const again = collect(room);
  await advance(50);
  expect(socket().topics.size).toBe(1);
  service.publish("room/1", 1);
  await advance(50);
  expect([payloadsOf(messages), payloadsOf(again)]).toEqual([[], [1]]);
  room.unsubscribe();
  await advance(50);
  expect(socket().topics.size).toBe(0);
});

it("gives direct messages, and only one of two that two links bring", async () => {
  const { open, advance, service, socket } = createHarness();
  const cast = open({ maxAgeMs: 1_000, random: () => 0 });
  const got: unknown[] = [];
  cast.on("direct", ({ payload }) => got.push(payload));
  await advance(50);
  socket().deliver({ type: "direct", payload: 1, time: 1 });
  await advance(950);
  service.latencyMs = () => 40;
  await advance(50);
  for (const one of service.sockets) one.deliver({ type: "direct", payload: 2, time: 2 });
  await advance(100);
  expect(got).toEqual([1, 2]);
});
