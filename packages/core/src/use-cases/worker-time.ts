/** How long the worker may still run, in ms. */
export type RemainingMs = () => number;

/** A worker begins no page with less time than this, but hands on what is left; so that what it begins it has time to post. */
export const PAGE_MS = 10_000;

/** It stops posting with so much left, to hand on in. */
export const HAND_ON_MS = 3_000;

/** Longest delay of a new job. With six attempts they add up to half a minute: three times the age at which a 410 counts. */
const MAX_DELAY_SECONDS = 60;

/** Seconds that a job waits whose attempt before it failed. */
export function delayAfter(attempt: number): number {
  return Math.min(2 ** (attempt - 1), MAX_DELAY_SECONDS);
}
