import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { CACHE_MS, type Clock, mintToken, systemClock } from "@topicast/core";
import type { HostOptions } from "@topicast/local";
import { connectRawClient, type Frame, type RawClient, type TestClock, testClock } from "@topicast/testing";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

// Emulators of DynamoDB and SQS take their time to start.
jest.setTimeout(120_000);

const TOPIC = "room/1";
const MINUTE_MS = 60_000;
const EXPIRED = { type: "closing", reason: "token_expired", reconnect: true };
const DELETED = { type: "closing", reason: "application_deleted", reconnect: false };

let host: TopicHost;
afterEach(() => host.close());

async function start(options: Partial<HostOptions>, inlineMax = 16): Promise<void> {
  host = await startTopicHost({ auth: true, environment: { FANOUT_INLINE_MAX: String(inlineMax) }, ...options });
}

/** A client that may do everything for so long, and the second at whose beginning that ends, in Unix ms. */
async function join(sub: string, lifetimeMs: number, clock: Clock) {
  const key = host.keys?.application ?? "";
  const cap = { "*": ["subscribe", "publish", "history"] };
  const token = await mintToken({ key, sub, cap, lifetimeMs, clock });
  if (!token.ok) throw new Error(token.fault.message);
  const endsAt = Math.floor((clock.now() + lifetimeMs) / 1_000) * 1_000;
  const client = await connectRawClient(host.wsUrl, { headers: { authorization: `Bearer ${token.value}` } });
  return { client, endsAt };
}

const isMessages = ({ type }: Frame) => type === "messages";
const payloadsOf = ({ frames }: RawClient) =>
  frames.filter(isMessages).flatMap(({ messages }) => messages.map(({ payload }: Frame) => payload));

const subscribe = (client: RawClient) => client.request({ action: "subscribe", topic: TOPIC });
const publish = (client: RawClient, payload: unknown) => client.request({ action: "publish", topic: TOPIC, payload });

/** Two who subscribe; the token of the first ends after a minute. */
async function joinBoth(clock: TestClock) {
  const { client: alice, endsAt } = await join("alice", MINUTE_MS, clock);
  const { client: bob } = await join("bob", 60 * MINUTE_MS, clock);
  for (const client of [alice, bob]) await subscribe(client);
  return { alice, bob, endsAt };
}

describe("in memory, on a fast clock, a token's end", () => {
  it.each([
    ["posted at once", 16],
    ["through the queue", 0],
  ])("is the end of deliveries, to the millisecond: %s", async (_, inlineMax) => {
    const clock = testClock();
    await start({ clock }, inlineMax);
    const { alice, bob, endsAt } = await joinBoth(clock);
    await clock.advance(endsAt - 1 - clock.now());
    await publish(bob, "before");
    await alice.frame(isMessages);
    await clock.advance(1);
    await publish(bob, "after");
    await alice.closed;
    expect(payloadsOf(alice)).toEqual(["before"]);
    expect(alice.frames.at(-1)).toEqual(EXPIRED);
    await bob.count(2, isMessages);
    expect(payloadsOf(bob)).toEqual(["before", "after"]);
  });

  it("is found by the client's next message, where nobody publishes", async () => {
    const clock = testClock();
    await start({ clock });
    const { alice, endsAt } = await joinBoth(clock);
    await clock.advance(endsAt - clock.now());
    alice.send({ action: "ping", id: "late" });
    await alice.closed;
    expect(alice.frames).toContainEqual(EXPIRED);
    expect(alice.frames.some(({ type }) => type === "pong")).toBe(false);
  });

  it("comes with that of the application, which nobody comes back to", async () => {
    const clock = testClock();
    await start({ clock });
    const { alice, bob } = await joinBoth(clock);
    const headers = { authorization: `Bearer ${host.keys?.operator}` };
    const deleted = await fetch(`${host.url}/applications/apps/default`, { method: "DELETE", headers });
    expect(deleted.status).toBe(204);
    await clock.advance(CACHE_MS);
    bob.send({ action: "publish", topic: TOPIC, payload: "after" });
    await bob.closed;
    expect(bob.frames).toContainEqual(DELETED);
    alice.send({ action: "ping" });
    await alice.closed;
    expect(alice.frames).toContainEqual(DELETED);
    expect(payloadsOf(alice)).toEqual([]);
  });
});

describe("over the wire a token's end", () => {
  it("is the end of deliveries, and the others get all", async () => {
    await start({ wire: { visibilityTimeoutSeconds: 5 } });
    const { client: bob } = await join("bob", MINUTE_MS, systemClock);
    await subscribe(bob);
    const { client: alice, endsAt } = await join("alice", 6_000, systemClock);
    await subscribe(alice);
    let isClosed = false;
    const closed = alice.closed.then(() => {
      isClosed = true;
      return Date.now();
    });
    let count = 0;
    while (!isClosed) {
      await publish(bob, ++count);
      await Promise.race([closed, systemClock.sleep(100)]);
    }
    const closedAt = await closed;
    expect(alice.frames.at(-1)).toEqual(EXPIRED);
    const messages = alice.frames.filter(isMessages).flatMap((frame) => frame.messages);
    for (const { time } of messages) expect(time).toBeLessThan(endsAt);
    expect(closedAt).toBeGreaterThanOrEqual(endsAt);
    expect(closedAt).toBeLessThan(endsAt + MINUTE_MS);
    const all = Array.from({ length: count }, (_, i) => i + 1);
    // Some may come twice.
    await bob.frame(() => new Set(payloadsOf(bob)).size === count);
    expect([...new Set(payloadsOf(bob))].sort((a, b) => a - b)).toEqual(all);
  });
});
