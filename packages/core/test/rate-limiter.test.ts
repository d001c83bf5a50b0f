import { describe, expect, it } from "@jest/globals";
import { createRateLimiter } from "@topicast/core";
import { testClock } from "@topicast/testing";
import fc from "fast-check";

describe("createRateLimiter", () => {
  it("allows a second's worth at once, and then as much as comes back", async () => {
    const clock = testClock();
    const limiter = createRateLimiter({ clock, perSecond: 10 });
    expect(Array.from({ length: 10 }, () => limiter.take("a"))).toEqual(Array(10).fill(undefined));
    expect(limiter.take("a")).toBe(100);
    expect(limiter.take("b")).toBeUndefined();
    await clock.advance(99);
    expect(limiter.take("a")).toBe(1);
    await clock.advance(1);
    expect(limiter.take("a")).toBeUndefined();
    expect(limiter.take("a")).toBe(100);
  });

  it("makes nobody wait for a clock that was turned back", () => {
    let now = 1_000_000;
    const limiter = createRateLimiter({ clock: { now: () => now }, perSecond: 10 });
    for (let i = 0; i < 10; i++) limiter.take("a");
    now = 0;
    expect(Array.from({ length: 10 }, () => limiter.take("a"))).toEqual(Array(10).fill(undefined));
    expect(limiter.take("a")).toBe(100);
  });

  it("makes nobody wait for one that was turned back by a second", () => {
    let now = 1_001_000;
    const limiter = createRateLimiter({ clock: { now: () => now }, perSecond: 1_000_000 });
    limiter.take("a");
    now = 1_000_000;
    expect(limiter.take("a")).toBeUndefined();
  });

  it("lets nobody through faster, and who waits as it says always", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.nat({ max: 400 }), { maxLength: 60 }),
        async (perSecond, pauses) => {
          const clock = testClock();
          const start = clock.now();
          const limiter = createRateLimiter({ clock, perSecond });
          let taken = 0;
          for (const pause of pauses) {
            await clock.advance(pause);
            const wait = limiter.take("a");
            if (wait !== undefined) {
              await clock.advance(wait);
              expect(limiter.take("a")).toBeUndefined();
            }
            taken += 1;
          }
          expect(taken).toBeLessThanOrEqual(perSecond + ((clock.now() - start) / 1_000) * perSecond + 1e-6);
        },
      ),
    );
  });

  it("forgets who was silent longest, so that it stays small", () => {
    const limiter = createRateLimiter({ clock: testClock(), perSecond: 1 });
    limiter.take("a");
    expect(limiter.take("a")).toBe(1_000);
    for (let n = 0; n < 10_000; n++) limiter.take(String(n));
    expect(limiter.take("a")).toBeUndefined();
  });
});
