import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { type Clock, mintToken, systemClock } from "@topicast/core";
import type { HostOptions } from "@topicast/local";
import { connectRawClient, type Frame, type RawClient, type TestClock, testClock } from "@topicast/testing";
import { type BroadcastHost, startBroadcastHost } from "./broadcast-host.ts";

// Emulators of DynamoDB and SQS take their time to start.
jest.setTimeout(120_000);

const MINUTE_MS = 60_000;
const EXPIRED = { type: "closing", reason: "token_expired", reconnect: true };

let host: BroadcastHost;
afterEach(() => host.close());

async function start(options: Partial<HostOptions>, inlineMax = 16): Promise<void> {
  host = await startBroadcastHost({ auth: true, environment: { FANOUT_INLINE_MAX: String(inlineMax) }, ...options });
}

/** A client of the lobby for so long, and the second at whose beginning that ends, in Unix ms. */
async function join(sub: string, lifetimeMs: number, clock: Clock) {
  const key = host.keys?.application ?? "";
  const token = await mintToken({ key, sub, cap: { lobby: ["subscribe", "publish"] }, lifetimeMs, clock });
  if (!token.ok) throw new Error(token.fault.message);
  const endsAt = Math.floor((clock.now() + lifetimeMs) / 1_000) * 1_000;
  return { client: await connectRawClient(`${host.wsUrl}?token=${token.value}`), endsAt };
}

/** Two in the lobby; the token of the first ends after a minute. */
async function joinBoth(clock: TestClock) {
  const { client: alice, endsAt } = await join("alice", MINUTE_MS, clock);
  const { client: bob } = await join("bob", 60 * MINUTE_MS, clock);
  return { alice, bob, endsAt };
}

const isMessage = ({ _now }: Frame) => _now !== undefined;
const dataOf = ({ frames }: RawClient) => frames.filter(isMessage).map(({ data }: Frame) => data);

describe("in memory, on a fast clock, a token's end", () => {
  it.each([
    ["posted at once", 16],
    ["through the queue", 0],
  ])("is the end of deliveries, to the millisecond: %s", async (_, inlineMax) => {
    const clock = testClock();
    await start({ clock }, inlineMax);
    const { alice, bob, endsAt } = await joinBoth(clock);
    await clock.advance(endsAt - 1 - clock.now());
    bob.send("before");
    await alice.frame(isMessage);
    await clock.advance(1);
    bob.send("after");
    await alice.closed;
    expect(dataOf(alice)).toEqual(["before"]);
    expect(alice.frames.at(-1)).toEqual(EXPIRED);
    await bob.count(2, isMessage);
    expect(dataOf(bob)).toEqual(["before", "after"]);
  });

  it("is found by the client's next message, which nobody gets", async () => {
    const clock = testClock();
    await start({ clock });
    const { alice, bob, endsAt } = await joinBoth(clock);
    await clock.advance(endsAt - clock.now());
    alice.send("late");
    await alice.closed;
    expect(alice.frames).toContainEqual(EXPIRED);
    bob.send("after");
    await bob.frame(isMessage);
    expect(dataOf(bob)).toEqual(["after"]);
  });
});

it("over the wire a token's end is the end of deliveries, and the others get all", async () => {
  await start({ wire: { visibilityTimeoutSeconds: 5 } });
  const { client: bob } = await join("bob", MINUTE_MS, systemClock);
  const { client: alice, endsAt } = await join("alice", 6_000, systemClock);
  let closedAt: number | undefined;
  const closed = alice.closed.then(() => {
    closedAt = Date.now();
  });
  let count = 0;
  while (closedAt === undefined) {
    bob.send(String(++count));
    await Promise.race([closed, systemClock.sleep(100)]);
  }
  expect(alice.frames.at(-1)).toEqual(EXPIRED);
  for (const { _now } of alice.frames.filter(isMessage)) expect(_now).toBeLessThan(endsAt);
  expect(closedAt).toBeGreaterThanOrEqual(endsAt);
  expect(closedAt).toBeLessThan(endsAt + MINUTE_MS);
  // Some may come twice.
  await bob.frame(() => new Set(dataOf(bob)).size === count);
});
