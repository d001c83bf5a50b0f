import type { Patch } from "./system.ts";

const ROWS = "packages/core/src/drivers/topic-log/memory-rows.ts";
const SUBSCRIBERS = "packages/core/src/drivers/connection-store/memory-subscribers.ts";

function patch(file: string, find: string, replace: string): Patch {
  return { file, find, replace };
}

/** Bugs that the model must find, each as a change of the source. */
export const BUGS: Readonly<Record<string, readonly Patch[]>> = {
  "a subscriber read that isn't fresh": [
    patch("packages/core/src/use-cases/fan-out.ts", 'limit, freshness: "fresh" }', 'limit, freshness: "stale" }'),
  ],
  "the pruning of a young connection": [
    patch("packages/core/src/use-cases/post-fanout.ts", "clock.now() - connectedAt < YOUNG_MS", "false"),
  ],
  "a retry that posts to everyone": [
    patch("packages/core/src/use-cases/deliver.ts", "await retry(run, { only: missed })", "await retry(run, {})"),
  ],
  "a key forgotten": [
    patch("packages/core/src/drivers/topic-log/memory.ts", "if (known?.isWritten) return answerOf(known);", ""),
  ],
  // Readers were told that it is settled, and the next message gets it.
  "a void number reused": [
    patch(ROWS, "settle({ epoch, empty, taken }) {", "settle(row) { const { epoch, empty, taken } = row;"),
    patch(ROWS, "[first, { takenAt }] of empty", "[first, { takenAt, last }] of empty"),
    patch(ROWS, "        empty.delete(first);", "empty.delete(first); if (last === row.taken) row.taken = first - 1;"),
  ],
  "settled given as newest": [patch(ROWS, "return { epoch, seq: first - 1 };", "return { epoch, seq: taken };")],
  // The cursor is where the page ended in the list, and who leaves moves all behind it up.
  "a page that skips on concurrent change": [
    patch(SUBSCRIBERS, "firstAfter(entries, Number(cursor))", "Number(cursor)"),
    patch(SUBSCRIBERS, "cursor: String(last.order)", "cursor: String(index)"),
    patch(SUBSCRIBERS, "if (entries.length < 32 ||", "if (false &&"),
    patch(SUBSCRIBERS, "entries = entries.filter(", "entries = [...live.values()]; [].filter("),
  ],
  // And its numbers go on, so that nothing but the epoch says that what was before is gone.
  "an epoch kept after DELETE": [
    patch(
      ROWS,
      "end(row);\n      begin(name);",
      "end(row); Object.assign(begin(name), { epoch: row.epoch, taken: row.taken });",
    ),
  ],
};
