import { setTimeout as pause } from "node:timers/promises";
import type { Host } from "@topicast/local";
import { type Counts, PRICES, type Publish } from "./prices.ts";

export type WireHost = Host & { readonly wire: NonNullable<Host["wire"]> };

export type Total = Counts & Pick<Publish, "batches">;
const KEYS = [...Object.keys(PRICES), "batches"] as (keyof Total)[];

/** The counts when nothing changed for so long: handlers may still run after the answer. */
export async function quietCounts({ wire }: WireHost, quietMs: number): Promise<Total> {
  for (;;) {
    const counts = read(wire);
    await pause(quietMs);
    if (JSON.stringify(read(wire)) === JSON.stringify(counts)) return counts;
  }
}

export function countedBetween(before: Total, after: Total): Publish {
  const { batches, ...counts } = Object.fromEntries(
    KEYS.map((key) => [key, after[key] - before[key]]),
  ) as unknown as Total;
  return { counts, batches };
}

function read(wire: WireHost["wire"]): Total {
  const { readUnits, writeUnits, posts, queueRequests } = wire.counts();
  const { SendMessageBatch = 0, SendMessage = 0, DeleteMessageBatch = 0 } = queueRequests;
  // Each batch that is deleted was received once; polls of an empty queue are no operation's.
  const queued = SendMessageBatch + SendMessage + 2 * DeleteMessageBatch;
  return { readUnits, writeUnits, posts, queueRequests: queued, batches: DeleteMessageBatch };
}
