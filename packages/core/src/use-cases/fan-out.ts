import type { Fanout, FanoutJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { encodeFanout, finish, isEphemeral, meantBy, type PostService, postFanout } from "./post-fanout.ts";

export type FanOutService = PostService & Pick<Service, "queue" | "settings">;

/** Nobody waits longer for a topic's subscribers; those left get a job. */
const POSTING_MS = 8_000;
const FINISHING_MS = 3_000;

/**
 * Posts to the few subscribers of a small topic, and leaves a large one to the workers: a job a shard. Once this resolves every subscriber
 * got it, is gone, or is part of a job that is safely kept; only what is ephemeral is not tried again. Throws `UnavailableError`.
 */
export async function fanOut(service: FanOutService, fanout: Fanout): Promise<void> {
  const { connections, queue, settings } = service;
  const { app, topic } = fanout;
  const limit = Math.max(1, settings.inlineMax);
  const page = await connections.subscribers({ app, topic, shard: 0, limit, freshness: "fresh" });
  const isLarge = page.shards > 1 || page.cursor !== undefined || page.subscribers.length > settings.inlineMax;
  if (isLarge) {
    await queue.send(Array.from({ length: page.shards }, (_, shard): FanoutJob => ({ ...fanout, shard, attempt: 1 })));
    return;
  }
  const targets = meantBy(fanout, page.subscribers);
  const frames = encodeFanout(service, fanout);
  const { missed, ...done } = await postFanout(service, fanout, frames, targets, { forMs: POSTING_MS });
  if (missed.length > 0 && !isEphemeral(fanout)) await queue.send([{ ...fanout, shard: 0, only: missed, attempt: 1 }]);
  await finish(service, fanout, { ...done, shard: 0, forMs: FINISHING_MS });
}
