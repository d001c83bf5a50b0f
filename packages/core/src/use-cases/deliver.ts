import { isUnavailable } from "../errors.ts";
import type { Subscriber } from "../model.ts";
import type { SubscriberPage } from "../ports/connection-store.ts";
import type { FanoutJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { APPLICATION_DELETED, type Ending, TOKEN_EXPIRED } from "./end-connection.ts";
import { endSubscribers, isApplicationGone } from "./end-subscribers.ts";
import { fitShards } from "./fit-shards.ts";
import {
  encodeFanout,
  type FanoutFrames,
  finish,
  isEphemeral,
  meantBy,
  numberedOf,
  type PostService,
  postFanout,
} from "./post-fanout.ts";
import { splitJob } from "./split-job.ts";
import { tryLater } from "./try-later.ts";
import { HAND_ON_MS, PAGE_MS, type RemainingMs } from "./worker-time.ts";

export type DeliverService = PostService & Pick<Service, "applications" | "queue" | "settings">;

/** Of a page: what is live comes first. */
const ENDING_MS = 5_000;

interface Run {
  readonly service: DeliverService;
  readonly job: FanoutJob;
  readonly frames: FanoutFrames;
  /** Whether the application is no longer there: nothing of it is delivered any more. */
  readonly isDropped: boolean;
  readonly remainingMs: RemainingMs;
}

/**
 * Delivers one job, or splits it, and ends the connections that it finds at their end: a token's, or their application's. Once this resolves, every
 * subscriber that the job is for got it, is gone, or is part of a new job or a dead letter that is safely kept. Throws `UnavailableError`: then the job
 * must be delivered again, and some will get it twice. `isShared` where the worker has other jobs too: then it hands on what is behind the first page, so
 * that shards of one topic which came together get workers of their own.
 */
export async function deliver(
  service: DeliverService,
  job: FanoutJob,
  remainingMs: RemainingMs,
  isShared = false,
): Promise<void> {
  if (job.split !== undefined) return service.queue.send(splitJob(job));
  const isDropped = await isApplicationGone(service, job.app);
  const run: Run = { service, job, frames: encodeFanout(service, job), isDropped, remainingMs };
  if (job.only !== undefined) return deliverTo(run, sortOut(job.only, service.clock.now()));
  let { cursor, walked = 0 } = job;
  do {
    const page = await readPage(service, job, cursor);
    if (page === undefined) return retryFrom(run, cursor, walked);
    await deliverTo(run, page);
    cursor = page.cursor;
    walked += page.subscribers.length + page.expired.length;
  } while (cursor !== undefined && !isShared && remainingMs() >= PAGE_MS);
  if (cursor !== undefined) await service.queue.send([{ ...job, cursor, walked }]);
  if (!isDropped) await fitShards(service, job, { shard: job.shard, walked, isOver: cursor === undefined });
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

type Recipients = Pick<SubscriberPage, "subscribers" | "expired">;

/** Who waited in a job may have expired there. */
function sortOut(only: readonly Subscriber[], now: number): Recipients {
  const isValid = ({ validUntil }: Subscriber) => validUntil > now;
  return { subscribers: only.filter(isValid), expired: only.filter((each) => !isValid(each)) };
}

async function deliverTo(run: Run, page: Recipients): Promise<void> {
  const { service, job, frames } = run;
  if (run.isDropped) return end(run, [...page.subscribers, ...page.expired], APPLICATION_DELETED);
  const targets = meantBy(job, page.subscribers);
  const { missed, ...done } = await postFanout(service, frames, targets, { forMs: timeLeft(run) });
  if (missed.length > 0) await retry(run, { only: missed });
  await finish(service, job, { ...done, forMs: timeLeft(run) });
  await end(run, page.expired, TOKEN_EXPIRED);
}

function end(run: Run, subscribers: readonly Subscriber[], ending: Ending): Promise<void> {
  const forMs = Math.min(ENDING_MS, timeLeft(run));
  return endSubscribers(run.service, run.job, subscribers, { ending, forMs });
}

function timeLeft({ remainingMs }: Run): number {
  return Math.max(0, remainingMs() - HAND_ON_MS);
}

function retryFrom(run: Run, cursor: string | undefined, walked: number): Promise<void> {
  return retry(run, cursor === undefined ? {} : { cursor, walked });
}

/** What could not be done becomes a job of its own. */
async function retry({ service, job }: Run, rest: Pick<FanoutJob, "only" | "cursor" | "walked">): Promise<void> {
  if (isEphemeral(job)) return;
  const { cursor: _, walked: __, only: ___, ...whole } = job;
  await tryLater(service, { ...numberedOf(whole), ...rest }, job.attempt, { count: rest.only?.length });
}
