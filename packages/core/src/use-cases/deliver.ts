import type { Target } from "../model.ts";
import type { FanoutJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { encodeFanout, type FanoutFrames, postFanout } from "./post-fanout.ts";
import { isEphemeral } from "./publish.ts";

/** A worker hands on what is left when it has less time than this, so that no page is cut off by its Lambda's end. */
const HAND_ON_MS = 3_000;

/** How long it waits, at most, before each try of its own; then the rest becomes a new job. */
const BACKOFFS_MS = [100, 400];

/** Longest delay of a new job. With six attempts they add up to half a minute: three times the age at which a 410 counts. */
const MAX_DELAY_SECONDS = 60;

/** How long the worker may still run, in ms. */
export type RemainingMs = () => number;

interface Run {
  readonly service: Service;
  readonly job: FanoutJob;
  readonly frames: FanoutFrames;
  readonly remainingMs: RemainingMs;
}

/**
 * Delivers one job. Once this resolves, every subscriber that the job is for got it, is gone, or is part of a new job or a dead letter that is
 * safely kept. Throws `UnavailableError`: then the job must be delivered again, and some will get it twice.
 */
export async function deliver(service: Service, job: FanoutJob, remainingMs: RemainingMs): Promise<void> {
  const run: Run = { service, job, frames: encodeFanout(service, job), remainingMs };
  if (job.only !== undefined) return retry(run, await postFanout(service, job, run.frames, job.only));
  let cursor = job.cursor;
  do {
    cursor = await deliverPage(run, cursor);
  } while (cursor !== undefined && remainingMs() >= HAND_ON_MS);
  if (cursor !== undefined) await service.queue.send([{ ...job, cursor }]);
}

async function deliverPage(run: Run, cursor: string | undefined): Promise<string | undefined> {
  const { service, job, frames } = run;
  const { app, topic, shard } = job;
  const page = await service.connections.subscribers({
    app,
    topic,
    shard,
    ...(cursor !== undefined && { cursor }),
    limit: service.settings.pageSize,
    freshness: "fresh",
  });
  await retry(run, await postFanout(service, job, frames, page.subscribers));
  return page.cursor;
}

/** Posts again to those that were missed: some times here, then as a new job, and as a dead letter in the end. */
async function retry({ service, job, frames, remainingMs }: Run, missed: readonly Target[]): Promise<void> {
  if (isEphemeral(job)) return;
  const { clock, random, queue, settings, logger } = service;
  let left = missed;
  for (const backoffMs of BACKOFFS_MS) {
    if (left.length === 0 || remainingMs() < HAND_ON_MS + backoffMs) break;
    await clock.sleep(backoffMs * (0.5 + random() / 2));
    left = await postFanout(service, job, frames, left);
  }
  if (left.length === 0) return;
  const { cursor: _, ...rest } = job;
  const next: FanoutJob = { ...rest, only: left, attempt: job.attempt + 1 };
  if (next.attempt > settings.maxAttempts) {
    logger.error("Some connections could not be reached; their message is a dead letter.", { count: left.length });
    await queue.deadLetter(next, `not reached in ${job.attempt} attempts`);
    return;
  }
  await queue.send([next], { delaySeconds: Math.min(2 ** (job.attempt - 1), MAX_DELAY_SECONDS) });
}
