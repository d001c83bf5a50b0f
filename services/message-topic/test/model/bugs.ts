import type { Run } from "./property.ts";
import type { Patch } from "./system.ts";

const ROWS = "packages/core/src/drivers/topic-log/memory-rows.ts";
const SUBSCRIBERS = "packages/core/src/drivers/connection-store/memory-subscribers.ts";

function patch(file: string, find: string, replace: string): Patch {
  return { file, find, replace };
}

const TICKS = "packages/core/src/drivers/topic-log/memory-tick-state.ts";
const DELIVER_TICK = "packages/core/src/use-cases/deliver-tick.ts";

export interface Bug {
  readonly patches: readonly Patch[];
  /** What the check that is there for it says: that anything else fails is no proof. */
  readonly finds: RegExp;
  /** A run in which it was found, as a search printed it. */
  readonly foundIn: Run;
}

/** Bugs that the model must find, each as a change of the source. */
export const BUGS: Readonly<Record<string, Bug>> = {
  "a subscriber read that isn't fresh": {
    finds: /never got .* live|wasn't told/,
    foundIn: { seed: 743932980, path: "0" },
    patches: [
      patch("packages/core/src/use-cases/fan-out.ts", 'freshness: "fresh" } as const', 'freshness: "stale" } as const'),
    ],
  },
  "the pruning of a young connection": {
    finds: /was evicted/,
    foundIn: { seed: -1634251647, path: "4" },
    patches: [patch("packages/core/src/use-cases/post-fanout.ts", "clock.now() - connectedAt < YOUNG_MS", "false")],
  },
  "a retry that posts to everyone": {
    finds: /was posted it again/,
    foundIn: { seed: -2042046824, path: "2" },
    patches: [
      patch("packages/core/src/use-cases/deliver.ts", "await retry(run, { only: missed })", "await retry(run, {})"),
    ],
  },
  "a key forgotten": {
    finds: /is at .* and at/,
    foundIn: { seed: -418821961, path: "2" },
    patches: [
      patch(
        "packages/core/src/drivers/topic-log/memory.ts",
        "if (known?.isWritten) return answerOf(known);\n      if (known === undefined) keys",
        "if (known === undefined) keys",
      ),
    ],
  },
  // Readers were told that it is settled, and the next message gets it.
  "a void number reused": {
    finds: /never emitted/,
    foundIn: { seed: 1, path: "0" },
    patches: [
      patch(ROWS, "settle({ epoch, empty, taken }) {", "settle(row) { const { epoch, empty, taken } = row;"),
      patch(ROWS, "[first, { takenAt }] of empty", "[first, { takenAt, last }] of empty"),
      patch(
        ROWS,
        "        empty.delete(first);",
        "empty.delete(first); if (last === row.taken) row.taken = first - 1;",
      ),
    ],
  },
  "settled given as newest": {
    finds: /never emitted/,
    foundIn: { seed: 473183474, path: "16" },
    patches: [patch(ROWS, "return { epoch, seq: first - 1 };", "return { epoch, seq: taken };")],
  },
  // The cursor is where the page ended in the list, and who leaves moves all behind it up.
  "a page that skips on concurrent change": {
    finds: /never got .* live/,
    foundIn: { seed: 1457483306, path: "37" },
    patches: [
      patch(SUBSCRIBERS, "firstAfter(entries, Number(cursor))", "Number(cursor)"),
      patch(SUBSCRIBERS, "cursor: String(last.order)", "cursor: String(index)"),
      patch(SUBSCRIBERS, "if (entries.length < 32 ||", "if (false &&"),
      patch(SUBSCRIBERS, "entries = entries.filter(", "entries = [...live.values()]; [].filter("),
    ],
  },
  // A job waits while the topic grows, and its worker takes its shard for one of so many as there are by then.
  "a shard of another number of shards than its publisher's": {
    finds: /never got .* live/,
    foundIn: { seed: 1, path: "0" },
    patches: [
      patch(
        "packages/core/src/drivers/connection-store/memory.ts",
        "list.page({ shard, cursor",
        "list.page({ shard: shard && { ...shard, of: row.shards }, cursor",
      ),
    ],
  },
  // And its numbers go on, so that nothing but the epoch says that what was before is gone.
  "an epoch kept after DELETE": {
    finds: /which was deleted/,
    foundIn: { seed: 1, path: "0" },
    patches: [
      patch(
        ROWS,
        "begin(name, newEpoch(), { ...row.move, floor: 0 });",
        "Object.assign(begin(name, row.epoch, { ...row.move, floor: 0 }), { taken: row.taken });",
      ),
    ],
  },
  "a tick that nobody delivers whose worker died": {
    finds: /never got .* live/,
    foundIn: { seed: 412977463, path: "3" },
    patches: [
      patch(DELIVER_TICK, "progress.mayHaveTaken ? takeOver(service, job, page, remainingMs) : undefined", "undefined"),
    ],
  },
  // Its publisher may have died before it sent the job.
  "a wake-up that is trusted though nobody sent it": {
    finds: /never got .* live/,
    foundIn: { seed: 124543272, path: "3" },
    patches: [
      patch(
        "packages/core/src/use-cases/wake-up.ts",
        "return wakeUp.isSent && !isOverdue(wakeUp, now);",
        "return true;",
      ),
    ],
  },
  "ticks that end though a message was counted in since": {
    finds: /never got .* live/,
    foundIn: { seed: -400812179, path: "1410" },
    patches: [patch(TICKS, "if (isNewer || !isSame", "if (!isSame")],
  },
  "a tick that each of two workers takes": {
    finds: /had three ticks|frames of .* ticks|ephemeral .* twice/,
    foundIn: { seed: 2038478762, path: "218" },
    patches: [patch(TICKS, "if (!isSame(ticks.wakeUp, from)) return false;", "")],
  },
  "a latest that is the oldest": {
    finds: /a latest that wasn't/,
    foundIn: { seed: 1502761925, path: "13" },
    patches: [
      patch(DELIVER_TICK, "before.message.time <= each.message.time", "before.message.time > each.message.time"),
    ],
  },
};
