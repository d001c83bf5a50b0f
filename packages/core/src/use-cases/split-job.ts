import type { FanoutJob } from "../ports/fanout-queue.ts";
import { partsOf } from "../shards.ts";

/**
 * Jobs that one is split into at once: what a queue takes in one request, so that a fan-out costs whoever begins it the same however many shards
 * there are. As shards, a power of two.
 */
const MAX_PARTS = 8;

/** The jobs that a job which is to be split becomes: each for its part of the shard, and itself to be split where that is not yet enough. */
export function splitJob({ split = 1, shard, ...job }: FanoutJob): readonly FanoutJob[] {
  const parts = Math.min(split, MAX_PARTS);
  const left = split / parts;
  return partsOf(shard, parts).map((part) => ({ ...job, shard: part, ...(left > 1 && { split: left }) }));
}
