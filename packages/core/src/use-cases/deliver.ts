import type { Target } from "../model.ts";
import type { FanoutJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { encodeFanout, type FanoutFrames, type PostService, postFanout } from "./post-fanout.ts";
import { isEphemeral } from "./publish.ts";

/** A worker hands on what is left when it has less time than this, and stops posting with so much left to hand on in. */
const HAND_ON_MS = 3_000;

/** Longest delay of a new job. With six attempts they add up to half a minute: three times the age at which a 410 counts. */
const MAX_DELAY_SECONDS = 60;

/** How long the worker may still run, in ms. */
export type RemainingMs = () => number;

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
  if (job.only !== undefined) return retry(run, await post(run, job.only));
  let cursor = job.cursor;
  do {
    cursor = await deliverPage(run, cursor);
  } while (cursor !== undefined && remainingMs() >= HAND_ON_MS);
  if (cursor !== undefined) await service.queue.send([{ ...job, cursor }]);
}

async function deliverPage(run: Run, cursor: string | undefined): Promise<string | undefined> {
  const { service, job } = run;
  const { app, topic, shard } = job;
  const page = await service.connections.subscribers({
    app,
    topic,
    shard,
    ...(cursor !== undefined && { cursor }),
    limit: service.settings.pageSize,
    freshness: "fresh",
  });
  await retry(run, await post(run, page.subscribers));
  return page.cursor;
}

function post({ service, job, frames, remainingMs }: Run, targets: readonly Target[]): Promise<Target[]> {
  return postFanout(service, job, frames, targets, { forMs: Math.max(0, remainingMs() - HAND_ON_MS) });
}

/**
 * Those that were missed get a job of their own, later and later, and a dead letter in the end. Nothing waits here: a worker that slept for one
 * connection would hold up all the others behind it.
 */
async function retry({ service, job }: Run, missed: readonly Target[]): Promise<void> {
  if (missed.length === 0 || isEphemeral(job)) return;
  const { queue, settings, logger } = service;
  const { cursor: _, ...rest } = job;
  const next: FanoutJob = { ...rest, only: missed, attempt: job.attempt + 1 };
  if (next.attempt > settings.maxAttempts) {
    logger.error("Some connections could not be reached; their message is a dead letter.", { count: missed.length });
    // Sent again by an operator, it has all its attempts anew.
    await queue.deadLetter({ ...next, attempt: 1 }, `not reached in ${job.attempt} attempts`);
    return;
  }
  await queue.send([next], { delaySeconds: Math.min(2 ** (job.attempt - 1), MAX_DELAY_SECONDS) });
}
