import { expect, it } from "@jest/globals";
import type { State } from "@topicast/client";
import { createRandom } from "@topicast/testing";
import { collect, createHarness, payloadsOf } from "./client-harness.ts";
import type { FakeSocket } from "./fake-service.ts";

const MINUTE_MS = 60_000;
const HAND_OVERS = 20;

it(`loses, doubles and reorders nothing in ${HAND_OVERS} hand-overs under load, and the application notices none`, async () => {
  const random = createRandom(7);
  const { open, advance, service, clock } = createHarness(random);
  service.latencyMs = () => 10 + Math.floor(random() * 400);
  const cast = open({ maxAgeMs: 10 * MINUTE_MS });
  const states: State[] = [];
  cast.on("state", (state) => states.push(state));
  const rooms = ["room/1", "room/2", "room/3"].map((name) => cast.topic<number>(name));
  const inboxes = rooms.map((room) => collect(room));
  let losses = 0;
  for (const room of rooms) room.on("lost", () => losses++);
  await advance(5_000);

  const published: Promise<unknown>[] = [];
  let n = 0;
  while (service.sockets.length <= HAND_OVERS) {
    // Around a hand-over it is the load of a game, else of a chat: the clock has a hundred minutes to go.
    const isBusy = service.sockets.filter(({ isOpen }) => isOpen).length > 1 || random() < 0.02;
    for (let times = isBusy ? 100 : 1; times > 0; times--) {
      const at = n++ % rooms.length;
      if (random() < 0.5) published.push(rooms[at]!.publish(n));
      else service.publish(rooms[at]!.name, n);
      if (isBusy) await advance(20);
    }
    await advance(2_000);
  }
  await advance(30_000);
  await Promise.all(published);

  const wanted = rooms.map(({ name }) => payloadsOf(service.log(name).messages));
  const got = inboxes.map((inbox) => payloadsOf(inbox));
  process.stdout.write(
    `${service.sockets.length - 1} hand-overs in ${((clock.now() % 86_400_000) / MINUTE_MS).toFixed(0)} simulated minutes, ${got.flat().length} messages\n`,
  );
  expect(got).toEqual(wanted);
  expect(wanted.flat()).toHaveLength(n);
  expect(losses).toBe(0);
  expect(states).toEqual(["connected"]);
  expect(service.sockets.filter(({ isOpen }) => isOpen)).toHaveLength(1);
});

it("is over where the client is closed meanwhile, and leaves no connection behind", async () => {
  const { open, advance, service } = createHarness();
  const cast = open({ maxAgeMs: 100_000 });
  cast.topic("room/1").on("message", () => {});
  await advance(50);
  service.answer = ({ action }, socket) => (action === "subscribe" && socket === service.sockets[1] ? null : undefined);
  await advance(95_100);
  expect(service.sockets.filter(({ isOpen }) => isOpen)).toHaveLength(2);
  cast.close();
  await advance(50);
  expect(service.sockets.filter(({ isOpen }) => isOpen)).toEqual([]);
});

it("subscribes anew without telling the application", async () => {
  const { open, advance, service } = createHarness();
  const room = open({ maxAgeMs: 100_000 }).topic("room/1");
  let times = 0;
  room.on("subscribed", () => times++);
  room.on("message", () => {});
  await advance(120_000);
  expect(service.sockets).toHaveLength(2);
  expect(service.requests("subscribe")).toHaveLength(2);
  expect(times).toBe(1);
});

it("comes a little earlier than it must, by chance", async () => {
  const { open, advance, service } = createHarness();
  open();
  await advance(6_640_000);
  expect(service.sockets).toHaveLength(1);
  await advance(20_000);
  expect(service.sockets).toHaveLength(2);
});

it("is tried again where it fails, and the old connection serves meanwhile", async () => {
  const { open, advance, service } = createHarness();
  const cast = open({ maxAgeMs: 100_000 });
  const messages = collect(cast.topic("room/1"));
  const states: State[] = [];
  cast.on("state", (state) => states.push(state));
  await advance(90_000);
  service.isDown = true;
  await advance(20_000);
  expect(service.sockets.length).toBeGreaterThan(3);
  service.publish("room/1", 1);
  await advance(50);
  expect(payloadsOf(messages)).toEqual([1]);
  service.isDown = false;
  await advance(30_000);
  expect(states).toEqual(["connected"]);
  expect(service.sockets[0]!.isOpen).toBe(false);
});

it("happens at once where the old connection breaks while the new one is still told what to bring", async () => {
  const { open, advance, service } = createHarness();
  const cast = open({ maxAgeMs: 100_000 });
  const messages = collect(cast.topic("room/1"));
  const states: State[] = [];
  cast.on("state", (state) => states.push(state));
  await advance(90_000);
  const [old] = service.sockets;
  service.answer = ({ action }, socket) =>
    action === "subscribe" && socket !== old ? { type: "error", code: "unavailable" } : undefined;
  await advance(5_500);
  expect(service.sockets).toHaveLength(2);
  old!.drop();
  service.publish("room/1", 1);
  await advance(50);
  service.answer = () => undefined;
  await advance(20_000);
  expect(states).toEqual(["connected"]);
  expect(payloadsOf(messages)).toEqual([1]);
  expect(service.sockets).toHaveLength(2);
});

it("brings ephemeral messages by one of the two only", async () => {
  const { open, advance, service, socket } = createHarness();
  const room = open({ maxAgeMs: 100_000 }).topic<number>("room/1");
  const messages = collect(room);
  await advance(94_950);
  service.latencyMs = () => 50;
  for (let n = 0; n < 60; n++) {
    for (const one of service.sockets.filter(({ topics, isOpen }) => topics.has("room/1") && isOpen)) {
      one.deliver({ type: "messages", topic: "room/1", messages: [{ payload: n, time: 1 }] });
    }
    await advance(10);
  }
  await advance(500);
  expect(service.sockets).toHaveLength(2);
  expect(socket().topics.size).toBe(1);
  const got = payloadsOf(messages);
  expect(new Set(got).size).toBe(got.length);
  expect(got.length).toBeGreaterThan(45);
});

it("brings what is sent to this client alone once, whichever of the two is ahead, and what is only alike each time", async () => {
  const { open, advance, service, clock } = createHarness();
  const cast = open({ maxAgeMs: 100_000 });
  cast.topic("room/1").on("message", () => {});
  const directs: unknown[] = [];
  cast.on("direct", ({ payload }) => directs.push(payload));
  await advance(94_950);
  service.latencyMs = () => 30;
  await advance(100);
  const [old, other] = service.sockets;
  expect(other!.isOpen).toBe(true);
  const send = (socket: FakeSocket | undefined, payload: string, time = clock.now()) =>
    socket!.deliver({ type: "direct", payload, time });
  const time = clock.now();
  for (const payload of ["a", "b"]) send(old, payload, time);
  await advance(35);
  for (const payload of ["a", "b"]) send(other, payload, time);
  await advance(100);
  expect(old!.isOpen).toBe(false);
  send(other, "a", time);
  send(other, "a");
  await advance(100);
  expect(directs).toEqual(["a", "b", "a"]);
});
