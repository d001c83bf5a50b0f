import { type Subscriber, WHOLE } from "../model.ts";
import type { SubscriberPage } from "../ports/connection-store.ts";
import type { Fanout } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { TOKEN_EXPIRED } from "./end-connection.ts";
import { endSubscribers } from "./end-subscribers.ts";
import { resetShards } from "./fit-shards.ts";
import { encodeFanout, finish, isEphemeral, meantBy, numberedOf, type PostService, postFanout } from "./post-fanout.ts";
import { splitJob } from "./split-job.ts";

export type FanOutService = PostService & Pick<Service, "queue" | "settings">;

/** Nobody waits longer for a topic's subscribers; those left get a job. */
const POSTING_MS = 8_000;
const FINISHING_MS = 3_000;
/** What that takes at the most, with forgetting who is gone and telling whose time is over. */
export const FEW_MS = POSTING_MS + 2 * FINISHING_MS;

/** Read where those no longer valid take up the first one's room. */
const MAX_PAGES = 3;

/**
 * Posts to the few subscribers of a small topic, and leaves a large one to the workers, in as many jobs as {@link splitJob} makes at once. Once this
 * resolves every subscriber got it, is gone, or is part of a job that is safely kept; only what is ephemeral is not tried again. Throws
 * `UnavailableError`.
 */
export async function fanOut(service: FanOutService, fanout: Fanout): Promise<void> {
  const { queue, settings } = service;
  const { shards = 1, subscribers, expired, cursor } = await readFew(service, fanout);
  if (cursor !== undefined || subscribers.length > settings.inlineMax) {
    return queue.send(splitJob({ ...fanout, shard: WHOLE, split: shards, attempt: 1 }));
  }
  const targets = meantBy(fanout, subscribers);
  // Many a topic has nobody listening.
  if (targets.length > 0) await postToFew(service, fanout, targets);
  if (shards > 1) await resetShards(service, fanout, shards);
  if (expired.length === 0) return;
  await endSubscribers(service, fanout, expired, { ending: TOKEN_EXPIRED, forMs: FINISHING_MS });
}

async function postToFew(service: FanOutService, fanout: Fanout, targets: readonly Subscriber[]): Promise<void> {
  const frames = encodeFanout(service, fanout);
  const { reached, missed, gone } = await postFanout(service, frames, targets, { forMs: POSTING_MS });
  if (missed.length > 0 && !isEphemeral(fanout)) {
    await service.queue.send([{ ...numberedOf(fanout), shard: WHOLE, only: missed, attempt: 1 }]);
  }
  await finish(service, fanout, { reached, gone, forMs: FINISHING_MS });
}

/** A topic's first subscribers: all of them, without a cursor, where they are few, though others among them are no longer valid. */
async function readFew({ connections, settings }: FanOutService, { app, topic }: Fanout): Promise<SubscriberPage> {
  const query = { app, topic, limit: Math.max(1, settings.inlineMax), freshness: "fresh" } as const;
  let all = await connections.subscribers(query);
  const { shards = 1 } = all;
  for (let pages = 1; pages < MAX_PAGES; pages++) {
    const { subscribers, expired, cursor } = all;
    if (cursor === undefined || expired.length === 0 || subscribers.length > settings.inlineMax) break;
    const next = await connections.subscribers({ ...query, cursor });
    all = {
      ...next,
      shards,
      subscribers: [...subscribers, ...next.subscribers],
      expired: [...expired, ...next.expired],
    };
  }
  return all;
}
