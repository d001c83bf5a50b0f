import { describe, expect, it } from "@jest/globals";
import type { ConnectionId } from "@topicast/core";
import { testClock } from "@topicast/testing";
import { createPostPace } from "../src/drivers/connection-gateway/post-pace.ts";

const id = (name: string) => name as ConnectionId;

function paceOf(random = () => 0.5) {
  const clock = testClock();
  return { clock, pace: createPostPace({ clock, maxConcurrency: 64, random }) };
}

describe("the pace of posts", () => {
  it("halves when two clients are throttled, and pauses where that brings nothing through", () => {
    const { clock, pace } = paceOf();
    pace.onThrottled(id("a"), clock.now());
    expect(pace).toMatchObject({ concurrency: 64 });
    pace.onThrottled(id("b"), clock.now());
    expect(pace).toMatchObject({ concurrency: 32 });
    expect(pace.pauseMs()).toBe(0);
    pace.onThrottled(id("c"), clock.now());
    expect(pace).toMatchObject({ concurrency: 16 });
    expect(pace.pauseMs()).toBe(25);
  });

  it("stays for one client that doesn't read, however often it is throttled", async () => {
    const { clock, pace } = paceOf();
    for (let i = 0; i < 10; i++) pace.onThrottled(id("slow"), clock.now());
    await clock.advance(1_001);
    pace.onThrottled(id("another"), clock.now());
    expect(pace.concurrency).toBe(64);
    expect(pace.pauseMs()).toBe(0);
  });

  it("slows down once for all that was under way together", () => {
    const { clock, pace } = paceOf();
    const startedAt = clock.now() - 10;
    for (let i = 0; i < 30; i++) pace.onThrottled(id(`c${i}`), startedAt);
    expect(pace.concurrency).toBe(32);
  });

  it("pauses for twice as long each time, up to a bound, and begins anew when one came through", async () => {
    const { clock, pace } = paceOf(() => 1);
    const pauses: number[] = [];
    for (const name of ["first", "second"]) pace.onThrottled(id(name), clock.now());
    for (let i = 0; i < 6; i++) {
      pace.onThrottled(id(`c${i}`), clock.now());
      pauses.push(pace.pauseMs());
      await clock.advance(pace.pauseMs());
      expect(pace.pauseMs()).toBe(0);
    }
    expect(pauses).toEqual([50, 100, 200, 400, 400, 400]);
    expect(pace.concurrency).toBe(1);
    pace.onDelivered(clock.now());
    expect(pace.deliveredAt).toBe(clock.now());
    pace.onThrottled(id("last"), clock.now());
    expect(pace.pauseMs()).toBe(0);
    pace.onThrottled(id("very last"), clock.now());
    expect(pace.pauseMs()).toBe(50);
  });

  it("begins anew with its pauses for what is tried later, and side by side with few", async () => {
    const { clock, pace } = paceOf(() => 1);
    for (let i = 0; i < 8; i++) pace.onThrottled(id(`c${i}`), clock.now());
    expect(pace.pauseMs()).toBe(400);
    await clock.advance(1_001);
    pace.onThrottled(id("later"), clock.now());
    expect(pace.pauseMs()).toBe(0);
    pace.onThrottled(id("too"), clock.now());
    expect(pace.pauseMs()).toBe(0);
    pace.onThrottled(id("three"), clock.now());
    expect(pace.pauseMs()).toBe(50);
    expect(pace.concurrency).toBe(1);
  });

  it("speeds up by one with each round that comes through, up to where it was", async () => {
    const { clock, pace } = paceOf();
    for (const name of ["a", "b", "c"]) pace.onThrottled(id(name), clock.now());
    expect(pace.concurrency).toBe(16);
    await clock.advance(100);
    for (let i = 0; i < 17; i++) pace.onDelivered(clock.now());
    expect(pace.concurrency).toBe(17);
    for (let i = 0; i < 64 * 64; i++) pace.onDelivered(clock.now());
    expect(pace.concurrency).toBe(64);
  });

  it("is not sped up by what began before it slowed down", async () => {
    const { clock, pace } = paceOf();
    const startedAt = clock.now();
    await clock.advance(5);
    pace.onThrottled(id("a"), startedAt);
    pace.onThrottled(id("b"), startedAt);
    for (let i = 0; i < 1_000; i++) pace.onDelivered(startedAt);
    expect(pace.concurrency).toBe(32);
  });

  it("runs no more side by side than it allows, in the order of the targets", async () => {
    const { clock, pace } = paceOf();
    for (const name of ["a", "b", "c", "d", "e"]) pace.onThrottled(id(name), clock.now());
    let running = 0;
    let most = 0;
    const outcomes = await pace.map([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], async (target) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      return target;
    });
    expect(most).toBe(4);
    expect(outcomes).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});
