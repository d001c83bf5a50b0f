/** Time, injected so that tests own it. */
export interface Clock {
  /** Unix ms. */
  now(): number;
  /** Resolves after `ms`; not before. */
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
