import type { Clock } from "@topicast/core";

export interface Deadlines {
  /** What a promise gives, or `late` where it gives nothing in `timeoutMs`. */
  race<T, Late>(promise: Promise<T>, late: Late): Promise<T | Late>;
}

interface Deadline {
  readonly at: number;
  pass(): void;
}

/**
 * Timeouts that all last equally long, so the oldest is always due first and one sleep serves them all: a timer for each of
 * a hundred thousand messages a second, nearly all cancelled, would cost more than the messages.
 */
export function createDeadlines(clock: Clock, timeoutMs: number): Deadlines {
  const waiting = new Set<Deadline>();
  let watching = false;

  async function watch(): Promise<void> {
    watching = true;
    for (const oldest of waiting) {
      while (waiting.has(oldest) && oldest.at > clock.now()) await clock.sleep(oldest.at - clock.now());
      if (waiting.delete(oldest)) oldest.pass();
    }
    watching = false;
  }

  return {
    race<T, Late>(promise: Promise<T>, late: Late) {
      return new Promise<T | Late>((resolve, reject) => {
        const deadline: Deadline = {
          at: clock.now() + timeoutMs,
          pass() {
            resolve(late);
          },
        };
        waiting.add(deadline);
        if (!watching) void watch();
        promise.then(
          (value) => {
            waiting.delete(deadline);
            resolve(value);
          },
          (error) => {
            waiting.delete(deadline);
            reject(error);
          },
        );
      });
    },
  };
}
