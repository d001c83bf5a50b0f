import { isUnavailable } from "../errors.ts";
import type { Subscriber } from "../model.ts";
import type { FanoutJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import {
  encodeFanout,
  type FanoutFrames,
  finish,
  isEphemeral,
  meantBy,
  type PostService,
  postFanout,
} from "./post-fanout.ts";
import { tryLater } from "./try-later.ts";
import { HAND_ON_MS, PAGE_MS, type RemainingMs } from "./worker-time.ts";

export type DeliverService = PostService & Pick<Service, "queue" | "settings">;

interface Run {
  readonly service: DeliverService;
  readonly job: FanoutJob;
  readonly frames: FanoutFrames;
  readonly remainingMs: RemainingMs;
}

/**
 * Delivers one job. Once this resolves, every subscriber that the job is for got it, is gone, or is part of a new job or a dead letter that is
 * safely kept. Throws `UnavailableError`: then the job must be delivered again, and some will get it twice.
 */
export async function deliver(service: DeliverService, job: FanoutJob, remainingMs: RemainingMs): Promise<void> {
  const run: Run = { service, job, frames: encodeFanout(service, job), remainingMs };
  if (job.only !== undefined) return deliverTo(run, job.only);
  let { cursor } = job;
  do {
    const page = await readPage(service, job, cursor);
    if (page === undefined) return retryFrom(run, cursor);
    await deliverTo(run, meantBy(job, page.subscribers));
    cursor = page.cursor;
  } while (cursor !== undefined && remainingMs() >= PAGE_MS);
  if (cursor !== undefined) await service.queue.send([{ ...job, cursor }]);
}

/** Undefined where the store is unavailable: failing the whole job for it would post to the pages before once more. */
async function readPage(service: DeliverService, job: FanoutJob, cursor: string | undefined) {
  const { app, topic, shard } = job;
  const at = cursor === undefined ? {} : { cursor };
  const limit = service.settings.pageSize;
  try {
    return await service.connections.subscribers({ app, topic, shard, ...at, limit, freshness: "fresh" });
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    service.logger.warn("A page of subscribers could not be read; the job goes on from there later.", { error });
    return undefined;
  }
}

async function deliverTo(run: Run, targets: readonly Subscriber[]): Promise<void> {
  const { service, job, frames } = run;
  const { missed, ...done } = await postFanout(service, job, frames, targets, { forMs: timeLeft(run) });
  if (missed.length > 0) await retry(run, { only: missed });
  await finish(service, job, { ...done, shard: job.shard, forMs: timeLeft(run) });
}

function timeLeft({ remainingMs }: Run): number {
  return Math.max(0, remainingMs() - HAND_ON_MS);
}

function retryFrom(run: Run, cursor: string | undefined): Promise<void> {
  return retry(run, cursor === undefined ? {} : { cursor });
}

/** What could not be done becomes a job of its own. */
async function retry({ service, job }: Run, rest: Pick<FanoutJob, "only" | "cursor">): Promise<void> {
  if (isEphemeral(job)) return;
  const { cursor: _, only: __, ...whole } = job;
  await tryLater(service, { ...whole, ...rest }, job.attempt, { count: rest.only?.length });
}
