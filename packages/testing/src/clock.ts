import type { Clock } from "@topicast/core";

/** Where a test's time begins, in Unix ms. */
export const TEST_START = Date.UTC(2026, 0, 1);

/** A clock that stands still until a test moves it. */
export interface TestClock extends Clock {
  /**
   * Moves time on by `ms`. Sleepers wake in the order in which they are due, each at its own time, and what they do without
   * further sleep is done before the next wakes. Calls that overlap run one after the other.
   */
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly dueAt: number;
  wake(): void;
}

/** A clock at `start` (Unix ms). */
export function testClock(start: number = TEST_START): TestClock {
  let now = start;
  let sleepers: Sleeper[] = [];
  let advancing: Promise<void> = Promise.resolve();

  function takeNext(until: number): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of sleepers) {
      // Of two that are due together the first to fall asleep wakes first.
      if (sleeper.dueAt <= until && (next === undefined || sleeper.dueAt < next.dueAt)) next = sleeper;
    }
    sleepers = sleepers.filter((sleeper) => sleeper !== next);
    return next;
  }

  async function advanceTo(end: number): Promise<void> {
    await settle();
    for (let next = takeNext(end); next !== undefined; next = takeNext(end)) {
      now = next.dueAt;
      next.wake();
      await settle();
    }
    now = end;
  }

  return {
    now: () => now,
    sleep: (ms) =>
      new Promise((resolve) => {
        if (ms <= 0) resolve();
        else sleepers.push({ dueAt: now + ms, wake: resolve });
      }),
    advance(ms) {
      advancing = advancing.then(() => advanceTo(now + ms));
      return advancing;
    },
  };
}

/** Resolves when every promise that needs no timer and no I/O has settled. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
