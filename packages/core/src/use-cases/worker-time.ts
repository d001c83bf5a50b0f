/** How long the worker may still run, in ms. */
export type RemainingMs = () => number;

/** A worker begins no page with less time than this, but hands on what is left; so that what it begins it has time to post. */
export const PAGE_MS = 10_000;

/** Of what is ephemeral only the newest counts; an old position does harm. */
export const MAX_EPHEMERAL_WAIT_MS = 10_000;

/** It stops posting with so much left, to hand on in. */
export const HAND_ON_MS = 3_000;
