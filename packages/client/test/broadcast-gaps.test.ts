import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { type Broadcast, connectBroadcast, type Lost } from "@topicast/client";
import { createHarness, type Harness, onClock } from "./client-harness.ts";

let harness: Harness;
let room: Broadcast<{ readonly n: number }>;
let got: number[];
let lost: Lost[];

beforeEach(async () => {
  harness = createHarness();
  const { WebSocket } = harness.service;
  room = connectBroadcast("ws://service.test/rooms", { WebSocket, random: () => 0.5, ...onClock(harness.clock) });
  [got, lost] = [[], []];
  room.on("message", ({ n }) => got.push(n));
  room.on("lost", (what) => lost.push(what));
  await harness.advance(50);
});
afterEach(() => room.close());

/** Message n, which has the number n. */
function shout(...numbers: number[]): void {
  for (const n of numbers) harness.socket().deliver({ n, _seq: n, _epoch: "e", _now: 1, _me: false, _from: "a" });
}

const recovery = (seq: number) => harness.socket().deliver({ type: "recovery", epoch: "e", seq, recovered: true });

it("a gap is asked about though more comes all the time", async () => {
  shout(1, 3);
  for (let n = 4; n < 10; n++) {
    await harness.advance(1_000);
    shout(n);
  }
  expect(harness.service.sockets.length).toBeGreaterThan(1);
  expect(harness.socket().url).toContain("since=e:1");
});

it("what came behind a void number isn't lost when a recovery says that there is none", async () => {
  shout(5);
  await harness.advance(10);
  shout(8, 7);
  await harness.advance(4_000);
  expect(got).toEqual([5]);
  recovery(8);
  await harness.advance(1_000);
  expect(got).toEqual([5, 7, 8]);
  expect(lost).toEqual([]);
  shout(9);
  await harness.advance(50);
  expect(got).toEqual([5, 7, 8, 9]);
});
