import type { Subscriber } from "../model.ts";
import type { SubscriberPage } from "../ports/connection-store.ts";
import type { Fanout, FanoutJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { TOKEN_EXPIRED } from "./end-connection.ts";
import { endSubscribers } from "./end-subscribers.ts";
import { encodeFanout, finish, isEphemeral, meantBy, type PostService, postFanout } from "./post-fanout.ts";

export type FanOutService = PostService & Pick<Service, "queue" | "settings">;

/** Nobody waits longer for a topic's subscribers; those left get a job. */
const POSTING_MS = 8_000;
const FINISHING_MS = 3_000;

/** Read where those no longer valid take up the first one's room. */
const MAX_PAGES = 3;

/**
 * Posts to the few subscribers of a small topic, and leaves a large one to the workers: a job a shard. Once this resolves every subscriber
 * got it, is gone, or is part of a job that is safely kept; only what is ephemeral is not tried again. Throws `UnavailableError`.
 */
export async function fanOut(service: FanOutService, fanout: Fanout): Promise<void> {
  const { queue, settings } = service;
  const page = await readFew(service, fanout);
  const isLarge = page.shards > 1 || page.cursor !== undefined || page.subscribers.length > settings.inlineMax;
  if (isLarge) {
    await queue.send(Array.from({ length: page.shards }, (_, shard): FanoutJob => ({ ...fanout, shard, attempt: 1 })));
    return;
  }
  const targets = meantBy(fanout, page.subscribers);
  // Many a topic has nobody listening.
  if (targets.length > 0) await postToFew(service, fanout, targets);
  if (page.expired.length === 0) return;
  await endSubscribers(service, { ...fanout, shard: 0 }, page.expired, { ending: TOKEN_EXPIRED, forMs: FINISHING_MS });
}

async function postToFew(service: FanOutService, fanout: Fanout, targets: readonly Subscriber[]): Promise<void> {
  const frames = encodeFanout(service, fanout);
  const { missed, ...done } = await postFanout(service, fanout, frames, targets, { forMs: POSTING_MS });
  if (missed.length > 0 && !isEphemeral(fanout)) {
    await service.queue.send([{ ...fanout, shard: 0, only: missed, attempt: 1 }]);
  }
  await finish(service, fanout, { ...done, shard: 0, forMs: FINISHING_MS });
}

/** A topic's first subscribers: all of them, without a cursor, where they are few, though others among them are no longer valid. */
async function readFew({ connections, settings }: FanOutService, { app, topic }: Fanout): Promise<SubscriberPage> {
  const query = { app, topic, shard: 0, limit: Math.max(1, settings.inlineMax), freshness: "fresh" } as const;
  let all = await connections.subscribers(query);
  for (let pages = 1; pages < MAX_PAGES; pages++) {
    const { subscribers, expired, cursor, shards } = all;
    if (cursor === undefined || shards > 1 || expired.length === 0 || subscribers.length > settings.inlineMax) break;
    const next = await connections.subscribers({ ...query, cursor });
    all = {
      ...next,
      subscribers: [...subscribers, ...next.subscribers],
      expired: [...expired, ...next.expired],
    };
  }
  return all;
}
