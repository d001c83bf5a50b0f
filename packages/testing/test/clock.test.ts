import { describe, expect, it } from "@jest/globals";
import { settle, TEST_START, testClock } from "../src/index.ts";

describe("the test clock", () => {
  it("stands still until it is moved", async () => {
    const clock = testClock();
    let isAwake = false;
    const asleep = clock.sleep(1).then(() => {
      isAwake = true;
    });
    await settle();
    expect(clock.now()).toBe(TEST_START);
    expect(isAwake).toBe(false);
    await clock.advance(1);
    await asleep;
    expect(clock.now()).toBe(TEST_START + 1);
  });

  it("wakes sleepers in the order in which they are due, each at its own time", async () => {
    const clock = testClock(1_000);
    const woken: [string, number][] = [];
    const sleepers = (
      [
        ["late", 30],
        ["early", 10],
        ["middle", 20],
        ["also early", 10],
        ["beyond", 41],
      ] as const
    ).map(([name, ms]) => clock.sleep(ms).then(() => woken.push([name, clock.now()])));
    await clock.advance(40);
    expect(woken).toEqual([
      ["early", 1_010],
      ["also early", 1_010],
      ["middle", 1_020],
      ["late", 1_030],
    ]);
    expect(clock.now()).toBe(1_040);
    await clock.advance(1);
    await Promise.all(sleepers);
    expect(woken.at(-1)).toEqual(["beyond", 1_041]);
  });

  it("wakes one who falls asleep again on the way", async () => {
    const clock = testClock(0);
    const times: number[] = [];
    const loop = (async () => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(10);
        times.push(clock.now());
      }
    })();
    await clock.advance(100);
    await loop;
    expect(times).toEqual([10, 20, 30]);
  });

  it("lets those who are about to sleep fall asleep before it moves", async () => {
    const clock = testClock(0);
    const done = Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => clock.sleep(10));
    await clock.advance(10);
    await done;
    expect(clock.now()).toBe(10);
  });

  it("runs calls that overlap one after the other", async () => {
    const clock = testClock(0);
    await Promise.all([clock.advance(10), clock.advance(5)]);
    expect(clock.now()).toBe(15);
  });

  it("sleeps for no time without being moved", async () => {
    await expect(testClock().sleep(0)).resolves.toBeUndefined();
  });
});
