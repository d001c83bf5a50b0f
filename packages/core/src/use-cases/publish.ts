import type { Json, Place, Topic } from "@topicast/protocol";
import type { AppId, ConnectionId } from "../model.ts";
import type { Fanout, FanoutJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { encodeFanout, type PostService, postFanout, prune } from "./post-fanout.ts";

type PublishService = PostService & Pick<Service, "log" | "queue" | "settings">;

/** A publisher waits no longer for its subscribers; those left get a job. */
const POSTING_MS = 8_000;
const PRUNING_MS = 3_000;

export interface PublishInput {
  readonly app: AppId;
  readonly topic: Topic;
  /** 1 to 100, published whole or not at all. */
  readonly payloads: readonly Json[];
  /** Who others see as its sender. */
  readonly from?: string | undefined;
  /** The connection that publishes, where it is one. */
  readonly sender?: ConnectionId;
  readonly echo: boolean;
  /** At most once, unordered, unrecorded. */
  readonly ephemeral: boolean;
}

/**
 * Publishes a batch to a topic. Returns the place of its last message, or `undefined` where it is ephemeral. Once this resolves the batch has its
 * numbers, is in the history, and is either posted or safely queued for every subscriber. Throws `UnavailableError`: then any part of
 * that may be missing, and a retry is needed.
 */
export async function publish(service: PublishService, input: PublishInput): Promise<Place | undefined> {
  const { app, topic, payloads, from, sender, echo } = input;
  const batch = { payloads, ...(from !== undefined && { from }), time: service.clock.now() };
  const about = { app, topic, ...(sender !== undefined && { sender }), echo };
  if (input.ephemeral) {
    const { time } = batch;
    const messages = payloads.map((payload) => ({ payload, ...(from !== undefined && { from }), time }));
    await fanOut(service, { ...about, messages });
    return undefined;
  }
  const { epoch, messages } = await service.log.append(app, topic, batch);
  await fanOut(service, { ...about, epoch, messages });
  return { epoch, seq: messages.at(-1)?.seq ?? 0 };
}

/** Posts to the few subscribers of a small topic, and leaves a large one to the workers: a job a shard. */
async function fanOut(service: PublishService, fanout: Fanout): Promise<void> {
  const { connections, queue, settings } = service;
  const { app, topic } = fanout;
  const limit = Math.max(1, settings.inlineMax);
  const page = await connections.subscribers({ app, topic, shard: 0, limit, freshness: "fresh" });
  const isLarge = page.shards > 1 || page.cursor !== undefined || page.subscribers.length > settings.inlineMax;
  if (isLarge) {
    await queue.send(Array.from({ length: page.shards }, (_, shard): FanoutJob => ({ ...fanout, shard, attempt: 1 })));
    return;
  }
  const frames = encodeFanout(service, fanout);
  const { missed, gone } = await postFanout(service, fanout, frames, page.subscribers, { forMs: POSTING_MS });
  if (missed.length > 0 && !isEphemeral(fanout)) await queue.send([{ ...fanout, shard: 0, only: missed, attempt: 1 }]);
  await prune(service, fanout, gone, PRUNING_MS);
}

/** Sent at most once: what fails is not tried again. */
export function isEphemeral({ epoch }: Fanout): boolean {
  return epoch === undefined;
}
