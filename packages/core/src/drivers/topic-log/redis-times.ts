/** How long a topic may lie still before it, and its epoch, are forgotten. */
export const TOPIC_LIFE_MS = 24 * 3_600_000;

/** A publish gives a topic its whole life again where less than this is left, so that most have nothing to write for it. */
export const TOPIC_RENEW_MS = 23 * 3_600_000;

/** A topic that is read keeps at least this much of its life: longer than any connection lives, so that no place outlives its epoch. */
export const TOPIC_LIFE_LEFT_MS = 3 * 3_600_000;

/** Keys expire so much after what they are of: what is valid is for the drivers' clock to say. */
export const SLACK_MS = 60_000;

/** Far longer than anything waits for its tick. */
export const TICK_LIFE_MS = 3_600_000;

/** How long it is remembered of a call that it was done: longer than it is tried for. */
export const CALL_LIFE_MS = 10_000;
