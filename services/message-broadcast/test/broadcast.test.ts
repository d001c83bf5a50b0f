import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { UnavailableError } from "@topicast/core";
import type { HostFaults, HostOptions } from "@topicast/local";
import { connectRawClient, type Frame } from "@topicast/testing";
import { type BroadcastHost, startBroadcastHost } from "./broadcast-host.ts";

// Emulators of DynamoDB and SQS take their time to start.
jest.setTimeout(30_000);

let host: BroadcastHost;
afterEach(() => host.close());

async function start(options: Partial<HostOptions> = {}) {
  host = await startBroadcastHost(options);
}

const join = (query = "") => connectRawClient(`${host.wsUrl}${query}`);

/** The same service over the drivers of a laptop and over those of AWS. */
const BACKENDS: readonly [string, Partial<HostOptions>][] = [
  ["in memory", {}],
  ["over the wire", { wire: { visibilityTimeoutSeconds: 5 } }],
];
// A small room is posted to by the publisher, a larger one by workers.
const PATHS = BACKENDS.flatMap(([name, options]) => [16, 0].map((inlineMax) => [name, inlineMax, options] as const));

describe("message-broadcast", () => {
  it.each(BACKENDS)("sends everyone in the room what anyone sends, the sender too: %s", async (_, backend) => {
    await start(backend);
    const [alice, bob] = await Promise.all([join(), join()]);
    alice.send({ type: "act", payload: "left" });
    const [own] = await alice.count(1);
    const [others] = await bob.count(1);
    const message = { type: "act", payload: "left", _now: expect.any(Number), _from: expect.any(String), _seq: 1 };
    expect(own).toEqual({ ...message, _me: true, _epoch: own._epoch });
    expect(others).toEqual({ ...own, _me: false });
    expect(own._epoch).toMatch(/^[\w-]+$/);
  });

  it.each([
    ["hi there", "hi there"],
    ["[1,2]", [1, 2]],
    ['"text"', "text"],
    ["7", 7],
    ["true", true],
    ["null", null],
    ["{broken", "{broken"],
    ["", ""],
  ])("puts what is no JSON object under data: %j", async (sent, data) => {
    await start();
    const alice = await join();
    alice.send(sent);
    expect((await alice.count(1))[0]).toMatchObject({ data, _seq: 1, _me: true });
  });

  it.each(["$connect", "$disconnect", "subscribe", "toString"])(
    "treats {action: %s} as a message like any other",
    async (action) => {
      await start();
      const [alice, bob] = await Promise.all([join(), join()]);
      alice.send({ action });
      expect((await bob.count(1))[0]).toMatchObject({ action, _seq: 1 });
      alice.send("still here");
      expect((await bob.count(2))[1]).toMatchObject({ data: "still here", _seq: 2 });
    },
  );

  it("answers also what a client sends to the routes of connecting and disconnecting", async () => {
    let failing = true;
    await start({
      ports: (ports) => ({
        ...ports,
        log: {
          ...ports.log,
          append: (...call) =>
            failing ? Promise.reject(new UnavailableError("store", "throttled")) : ports.log.append(...call),
        },
      }),
    });
    const alice = await join();
    for (const action of ["$connect", "$disconnect"]) alice.send({ action });
    expect(await alice.count(2)).toMatchObject([
      { type: "error", code: "unavailable" },
      { type: "error", code: "unavailable" },
    ]);
    failing = false;
    alice.send("still here");
    expect((await alice.count(3))[2]).toMatchObject({ data: "still here" });
  });

  it("lets no sender forge its marks", async () => {
    await start();
    const [alice, bob] = await Promise.all([join(), join()]);
    alice.send('{"_me":true,"_now":1,"_from":"bob","_seq":99,"_epoch":"x","__proto__":{"_me":true}}');
    const [frame] = await bob.count(1);
    expect(frame).toMatchObject({ _me: false, _seq: 1 });
    expect(frame._from).not.toBe("bob");
    expect(frame._now).toBeGreaterThan(1);
    expect(frame._epoch).not.toBe("x");
  });

  it("keeps rooms apart, each with its own numbers", async () => {
    await start();
    const [one, two, lobby] = await Promise.all([join("?room_id=jam/1"), join("?room_id=jam/2"), join()]);
    one.send("for one");
    two.send("for two");
    lobby.send("for the lobby");
    expect(await one.count(1)).toMatchObject([{ data: "for one", _seq: 1 }]);
    expect(await two.count(1)).toMatchObject([{ data: "for two", _seq: 1 }]);
    expect(await lobby.count(1)).toMatchObject([{ data: "for the lobby", _seq: 1 }]);
    for (const client of [one, two, lobby]) {
      client.send("ping");
      await client.frame(({ type }: Frame) => type === "pong");
      expect(client.frames).toHaveLength(2);
    }
  });

  it.each(["ping", '{"action":"ping"}'])("answers %s to the sender alone", async (ping) => {
    await start();
    const [alice, bob] = await Promise.all([join(), join()]);
    alice.send(ping);
    expect(await alice.count(1)).toEqual([{ type: "pong" }]);
    alice.send("after");
    expect(await bob.count(1)).toMatchObject([{ data: "after", _seq: 1 }]);
  });

  it.each(["?room_id=a%20b", "?room_id=", "?client=short", "?since=abc", "?since=a:b:1"])(
    "refuses to connect to %s",
    async (query) => {
      await start();
      await expect(join(query)).rejects.toThrow("400");
    },
  );

  it("shows the same sender after a reconnect with the same secret", async () => {
    await start();
    const bob = await join();
    for (let time = 1; time <= 2; time++) {
      const alice = await join("?client=0123456789abcdef");
      alice.send("hello");
      await bob.count(time);
      await alice.close();
    }
    const [first, second] = bob.frames;
    expect(second._from).toBe(first._from);
    expect(first._from).toMatch(/^[A-Za-z0-9_-]{16}$/);
  });

  it("refuses a message that is too large with the limit, and broadcasts nothing", async () => {
    await start();
    const [alice, bob] = await Promise.all([join(), join()]);
    alice.socket.send("x".repeat(30_000), { fin: false });
    alice.socket.send("x".repeat(10_000), { fin: true });
    expect(await alice.count(1)).toMatchObject([{ type: "error", code: "payload_too_large", limit: 32_768 }]);
    expect(alice.frames[0]).not.toHaveProperty("_now");
    alice.send("small");
    expect(await bob.count(1)).toMatchObject([{ data: "small", _seq: 1 }]);
  });
});

describe("a message that is posted while a client's $connect still runs", () => {
  it.each(PATHS)("reaches it: %s, FANOUT_INLINE_MAX=%d", async (_, inlineMax, backend) => {
    let release = () => {};
    let refused = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const wasRefused = new Promise<void>((resolve) => {
      refused = resolve;
    });
    let connecting = false;
    let joining: string | undefined;
    const faults: HostFaults = {
      handshake: async (_, id) => {
        if (!connecting) return;
        joining = id;
        await released;
      },
      request: (_, id) => {
        if (id === joining) refused();
        return undefined;
      },
    };
    await start({ ...backend, faults, environment: { FANOUT_INLINE_MAX: String(inlineMax) } });
    const alice = await join();
    connecting = true;
    const bobJoining = join();
    alice.send("ping");
    await alice.count(1);
    while (joining === undefined) await new Promise((resolve) => setImmediate(resolve));
    alice.send("hello");
    await wasRefused;
    release();
    const bob = await bobJoining;
    expect(await bob.count(1)).toMatchObject([{ data: "hello", _seq: 1, _me: false }]);
  });
});

describe("POST /messages", () => {
  const post = (query: string, body: string) => fetch(`${host.httpUrl}/messages${query}`, { method: "POST", body });

  it("broadcasts to a room from a backend", async () => {
    await start();
    const alice = await join("?room_id=jam/1");
    const response = await post("?room_id=jam/1", '{"type":"score","value":7}');
    expect(response.status).toBe(202);
    const place = await response.json();
    expect(place).toEqual({ epoch: expect.any(String), seq: 1 });
    const [frame] = await alice.count(1);
    expect(frame).toEqual({
      type: "score",
      value: 7,
      _me: false,
      _now: expect.any(Number),
      _seq: 1,
      _epoch: (place as Frame).epoch,
    });
  });

  it("treats any body as a WebSocket message's is", async () => {
    await start();
    const alice = await join();
    await post("", "plain text");
    expect(await alice.count(1)).toMatchObject([{ data: "plain text" }]);
    const pong = await post("", "ping");
    expect([pong.status, await pong.json()]).toEqual([200, { type: "pong" }]);
  });

  it("refuses a bad room and too large a body with a problem document", async () => {
    await start();
    const bad = await post("?room_id=a//b", "x");
    expect(bad.headers.get("content-type")).toBe("application/problem+json");
    expect([bad.status, await bad.json()]).toMatchObject([400, { code: "invalid_topic", status: 400 }]);
    const large = await post("", "x".repeat(96 * 1024 + 1));
    expect([large.status, await large.json()]).toMatchObject([413, { code: "payload_too_large", limit: 98_304 }]);
  });

  it("GET /health says that store and queue answer", async () => {
    await start();
    const response = await fetch(`${host.httpUrl}/health`);
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });
});

it("a room whose rule makes it ephemeral numbers nothing", async () => {
  await start({ environment: { TOPIC_RULES: '[{"match":"game/*","ephemeral":true}]' } });
  const alice = await join("?room_id=game/1");
  alice.send("here");
  const [frame] = await alice.count(1);
  expect(frame).toEqual({ data: "here", _me: true, _now: expect.any(Number), _from: expect.any(String) });
  const answer = await fetch(`${host.httpUrl}/messages?room_id=game/1`, { method: "POST", body: "there" });
  expect([answer.status, await answer.json()]).toEqual([202, {}]);
});

it("nobody forges a place, also where there is none", async () => {
  await start({ environment: { TOPIC_RULES: '[{"match":"lobby","ephemeral":true}]' } });
  const alice = await join();
  alice.send({ x: 1, _seq: 9, _epoch: "forged", _from: "eve", _me: false, _now: 0 });
  const [frame] = await alice.count(1);
  expect(frame).toEqual({ x: 1, _me: true, _now: expect.any(Number), _from: expect.any(String) });
  expect(frame?._from).not.toBe("eve");
});

it("a backend's broadcast with an idempotency key is applied once", async () => {
  await start();
  const send = (key: string) =>
    fetch(`${host.httpUrl}/messages`, { method: "POST", body: "hi", headers: { "idempotency-key": key } });
  const [first, again, other] = [await send("k"), await send("k"), await send("other")];
  const answers = await Promise.all([first, again, other].map((answer) => answer.json() as Promise<Frame>));
  expect(answers.map(({ seq }) => seq)).toEqual([1, 1, 2]);
  expect((await send("x".repeat(65))).status).toBe(400);
});
