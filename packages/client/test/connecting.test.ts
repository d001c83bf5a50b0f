import { expect, it } from "@jest/globals";
import type { Cast, Reason, State } from "@topicast/client";
import { collect, createHarness, onClock, payloadsOf, URL } from "./client-harness.ts";

function statesOf(cast: Cast): [State, Reason | undefined][] {
  const states: [State, Reason | undefined][] = [];
  cast.on("state", (state, reason) => states.push([state, reason]));
  return states;
}

it("connects, and comes back as the same client when the connection is lost", async () => {
  const { open, advance, service, socket } = createHarness();
  const cast = open();
  const states = statesOf(cast);
  expect(cast.state).toBe("connecting");
  await advance(50);
  expect(cast.state).toBe("connected");
  socket().drop();
  await advance(1_000);
  expect(states).toEqual([
    ["connected", undefined],
    ["disconnected", "lost"],
    ["connected", undefined],
  ]);
  const [one, other] = service.sockets;
  expect(one!.url).toMatch(/^ws:\/\/service\.test\/topics\?client=[\w-]{16,64}$/);
  expect(other!.url).toBe(one!.url);
});

it("is one client for the page, unless it is told another", async () => {
  const { open, service } = createHarness();
  open();
  open();
  open({ client: "a-secret-of-its-own" });
  const clients = service.sockets.map(({ url }) => url.slice(`${URL}?client=`.length));
  expect(clients[1]).toBe(clients[0]);
  expect(clients[2]).toBe("a-secret-of-its-own");
});

it("waits longer and longer between tries, by chance, up to half a minute", async () => {
  let random = 0.999;
  const { open, advance, service, clock } = createHarness(() => random);
  service.isDown = true;
  open();
  const tries: number[] = [];
  let seen = 0;
  for (let at = 0; at < 1_500; at++) {
    await advance(100);
    if (service.sockets.length > seen) tries.push(clock.now());
    seen = service.sockets.length;
  }
  const waits = tries.slice(1).map((at, n) => at - tries[n]!);
  expect(waits.slice(0, 6).map((ms) => Math.round(ms / 500))).toEqual([1, 2, 4, 8, 16, 32]);
  expect(Math.max(...waits)).toBeLessThan(31_000);
  random = 0.001;
  const before = service.sockets.length;
  await advance(32_000);
  expect(service.sockets.length).toBeGreaterThan(before + 50);
});

it("asks for a token at each connection, and gives it as browsers can", async () => {
  const { open, advance, service, socket } = createHarness();
  let tokens = 0;
  open({ token: async () => `token-${++tokens}` });
  await advance(50);
  socket().drop();
  await advance(1_000);
  expect(service.sockets.map(({ protocols }) => protocols)).toEqual([
    ["bearer", "token-1"],
    ["bearer", "token-2"],
  ]);
});

it("tries again where there is no token, or never an answer about it", async () => {
  const { open, advance } = createHarness();
  let asked = 0;
  const cast = open({
    async token() {
      asked += 1;
      if (asked === 1) throw new Error("offline");
      return asked === 2 ? new Promise<string>(() => {}) : "a-token";
    },
  });
  const states = statesOf(cast);
  await advance(30_000);
  expect(states).toEqual([
    ["disconnected", "token"],
    ["connected", undefined],
  ]);
});

it("gives up a handshake that takes too long", async () => {
  const { open, advance, service } = createHarness();
  service.latencyMs = () => 60_000;
  const cast = open();
  const states = statesOf(cast);
  await advance(9_000);
  service.latencyMs = () => 5;
  await advance(3_000);
  expect(states).toEqual([
    ["disconnected", "timeout"],
    ["connected", undefined],
  ]);
});

it("pings while nothing else is said, and comes back where nobody answers", async () => {
  const { open, advance, service, socket } = createHarness();
  const cast = open();
  const messages = collect(cast.topic("room/1"));
  const states = statesOf(cast);
  await advance(500_000);
  expect(service.requests("ping").length).toBeGreaterThanOrEqual(4);
  socket().cutOff();
  service.publish("room/1", "missed");
  await advance(135_000);
  expect(states).toEqual([
    ["connected", undefined],
    ["disconnected", "timeout"],
    ["connected", undefined],
  ]);
  expect(payloadsOf(messages)).toEqual(["missed"]);
});

it("notices a dead link when a publish gets no answer", async () => {
  const { open, advance, socket } = createHarness();
  const cast = open();
  await advance(50);
  socket().cutOff();
  const published = cast.topic("room/1").publish(1);
  await advance(12_000);
  await expect(published).resolves.toMatchObject({ seq: 1 });
});

it("comes back where the service ends a connection to be made anew", async () => {
  const { open, advance, socket } = createHarness();
  const cast = open();
  const states = statesOf(cast);
  await advance(50);
  socket().deliver({ type: "closing", reason: "token_expired", reconnect: true });
  await advance(1_000);
  expect(states).toEqual([
    ["connected", undefined],
    ["disconnected", "token_expired"],
    ["connected", undefined],
  ]);
});

it("never comes back where it was kicked", async () => {
  const { open, advance, service, socket } = createHarness();
  const cast = open();
  const states = statesOf(cast);
  await advance(50);
  socket().deliver({ type: "closing", reason: "kicked", reconnect: false });
  await advance(100_000);
  expect(states).toEqual([
    ["connected", undefined],
    ["closed", "kicked"],
  ]);
  expect(service.sockets).toHaveLength(1);
  await expect(cast.topic("room/1").publish(1)).rejects.toMatchObject({ code: "closed" });
});

it("connects anew where the service doesn't know the connection any more", async () => {
  const { open, advance, service } = createHarness();
  const cast = open();
  await advance(50);
  const [first] = service.sockets;
  service.answer = (_, socket) => (socket === first ? { type: "error", code: "not_found", message: "" } : undefined);
  const published = cast.topic("room/1").publish(1);
  await advance(2_000);
  await expect(published).resolves.toMatchObject({ seq: 1 });
});

it("does nothing more when it is closed, also while it connects or waits", async () => {
  for (const ms of [0, 3, 50]) {
    const { open, advance, service } = createHarness();
    service.isDown = ms === 50;
    const cast = open();
    const states = statesOf(cast);
    await advance(ms);
    cast.close();
    cast.close();
    const made = service.sockets.length;
    await advance(100_000);
    expect(cast.state).toBe("closed");
    expect(states.at(-1)).toEqual(["closed", "closed"]);
    expect(service.sockets).toHaveLength(made);
  }
});

it("comes back at once when the network does, and looks whether the link is alive when the page is looked at", async () => {
  const page = globalThis as unknown as Record<string, unknown>;
  const target = new EventTarget();
  page.addEventListener = target.addEventListener.bind(target);
  page.removeEventListener = target.removeEventListener.bind(target);
  try {
    const { open, advance, service, socket } = createHarness(() => 0.999);
    service.isDown = true;
    const cast = open();
    await advance(20_000);
    service.isDown = false;
    target.dispatchEvent(new Event("online"));
    await advance(50);
    expect(cast.state).toBe("connected");
    socket().cutOff();
    target.dispatchEvent(new Event("visibilitychange"));
    await advance(12_000);
    expect(service.sockets.filter(({ isOpen }) => isOpen)).toHaveLength(1);
    expect(cast.state).toBe("connected");
    cast.close();
    const made = service.sockets.length;
    target.dispatchEvent(new Event("online"));
    await advance(50);
    expect(service.sockets).toHaveLength(made);
  } finally {
    delete page.addEventListener;
    delete page.removeEventListener;
  }
});

it("comes back complete in a tab whose timers run once a minute, as browsers let those of the background", async () => {
  const { open, advance, service, clock, socket } = createHarness();
  const MINUTE_MS = 60_000;
  const { after } = onClock(clock);
  const throttled = (ms: number, run: () => void) => {
    const end = clock.now() + ms;
    return after(Math.ceil(end / MINUTE_MS) * MINUTE_MS - clock.now(), run);
  };
  const cast = open({ after: throttled });
  const messages = collect(cast.topic("room/1"));
  await advance(MINUTE_MS);
  let last = 0;
  for (const trouble of ["drop", "cutOff", "drop"] as const) {
    socket()[trouble]();
    for (let n = 0; n < 5; n++) service.publish("room/1", ++last);
    await advance(6 * MINUTE_MS);
    service.isLost = () => true;
    service.publish("room/1", ++last);
    service.isLost = () => false;
    await advance(4 * MINUTE_MS);
    expect(cast.state).toBe("connected");
    expect(payloadsOf(messages)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
  }
});
