import { isUnavailable } from "../errors.ts";
import { MAX_SHARDS, type Shard } from "../model.ts";
import type { Fanout } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";

type FitService = Pick<Service, "connections" | "logger" | "settings">;

/**
 * Of the most that a shard should have: one that has less could take in its neighbour twice over, so that a topic whose size wavers doesn't go back and
 * forth between two numbers.
 */
const SPARSE = 1 / 4;

/** What a walk found. */
export interface WalkedShard {
  readonly shard: Shard;
  /** Subscribers of the shard that were met so far. */
  readonly walked: number;
  /** Whether that were all. */
  readonly isOver: boolean;
}

/**
 * Has a topic's next fan-outs shared among more workers where one met too many subscribers in its shard, and among half as many where there were few. Of
 * those, the first shard's worker speaks for all: ids spread evenly. Nothing hangs on it, so what fails is logged, and the next walk finds it
 * again.
 */
export function fitShards(
  service: FitService,
  fanout: Pick<Fanout, "app" | "topic">,
  walk: WalkedShard,
): Promise<void> {
  const { shard } = walk;
  return changeShards(service, fanout, { from: shard.of, to: fitting(service, walk) });
}

/** Has a topic begin anew with one shard. As {@link fitShards}. */
export function resetShards(service: FitService, fanout: Pick<Fanout, "app" | "topic">, from: number): Promise<void> {
  return changeShards(service, fanout, { from, to: 1 });
}

function fitting(
  { settings: { shardMax } }: FitService,
  { shard: { index, of }, walked, isOver }: WalkedShard,
): number {
  if (walked > shardMax) return Math.min(of * 2 ** Math.ceil(Math.log2(walked / shardMax)), MAX_SHARDS);
  return isOver && index === 0 && of > 1 && walked < shardMax * SPARSE ? of / 2 : of;
}

async function changeShards(
  { connections, logger }: FitService,
  { app, topic }: Pick<Fanout, "app" | "topic">,
  change: { readonly from: number; readonly to: number },
): Promise<void> {
  if (change.from === change.to) return;
  try {
    await connections.setShards(app, topic, change);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    logger.warn("The number of a topic's shards could not be changed; the next fan-out tries again.", { error });
  }
}
