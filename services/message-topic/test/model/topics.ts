import type { Retention } from "@topicast/core";

/** Its deliveries leave in ticks. */
export const TICKED = "tick/1";

/** The topics of every run: two with the default history, one that forgets soon, one that keeps little, one whose deliveries leave in ticks. */
export const TOPICS = ["game/1", "game/2", "short/1", "few/1", TICKED] as const;

export const TICK_MS = 50;

const DEFAULT: Retention = { maxMessages: 1_000, maxAgeMs: 120_000 };
const RETENTION: Readonly<Record<string, Retention>> = {
  // Longer than what `checkLost` allows for a late message, or it would excuse everything.
  "short/1": { ...DEFAULT, maxAgeMs: 40_000 },
  "few/1": { ...DEFAULT, maxMessages: 6 },
};

export function retentionOf(topic: string): Retention {
  return RETENTION[topic] ?? DEFAULT;
}

/** The same as `TOPIC_RULES`. */
export const TOPIC_RULES = JSON.stringify([
  ...Object.entries(RETENTION).map(([match, { maxMessages, maxAgeMs }]) => ({
    match,
    historyMessages: maxMessages,
    historySeconds: maxAgeMs / 1_000,
  })),
  { match: TICKED, tickMs: TICK_MS },
]);
