import type { ConnectOptions } from "@topicast/client";
import type { Clock } from "@topicast/core";

export type FastClock = Clock & Required<Pick<ConnectOptions, "now" | "after">>;

/** The system's time from now on, `speed` times as fast; for a host and its clients alike. */
export function fastClock(speed: number): FastClock {
  const start = Date.now();
  const begin = performance.now();
  return {
    now: () => start + (performance.now() - begin) * speed,
    sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms / speed).unref()),
    after(ms, run) {
      const timer = setTimeout(run, ms / speed);
      return () => clearTimeout(timer);
    },
  };
}
