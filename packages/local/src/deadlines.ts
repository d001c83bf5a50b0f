import type { Clock } from "@topicast/core";

export interface Deadlines {
  /** Calls `onPassed` in `timeoutMs`, unless the returned function is called before. */
  start(onPassed: () => void): () => void;
}

/**
 * Timeouts that all last equally long, so the oldest is always due first and one sleep serves them all: a timer for each of
 * a hundred thousand messages a second, nearly all cancelled, would cost more than the messages.
 */
export function createDeadlines(clock: Clock, timeoutMs: number): Deadlines {
  const waiting = new Set<{ readonly at: number; readonly onPassed: () => void }>();
  let watching = false;

  async function watch(): Promise<void> {
    watching = true;
    for (const oldest of waiting) {
      while (waiting.has(oldest) && oldest.at > clock.now()) await clock.sleep(oldest.at - clock.now());
      if (waiting.delete(oldest)) oldest.onPassed();
    }
    watching = false;
  }

  return {
    start(onPassed) {
      const deadline = { at: clock.now() + timeoutMs, onPassed };
      waiting.add(deadline);
      if (!watching) void watch();
      return () => waiting.delete(deadline);
    },
  };
}
