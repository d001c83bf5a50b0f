import { isUnavailable } from "../errors.ts";
import type { Target } from "../model.ts";
import type { DirectJob, KickJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { forgetGone } from "./post-fanout.ts";
import { tryLater } from "./try-later.ts";
import { HAND_ON_MS, PAGE_MS, type RemainingMs } from "./worker-time.ts";

/** Connections of a page of a user's, and of a job that names its connections: as many as a store gives at once. */
export const RECIPIENTS_PAGE = 100;

export type WorkService = Pick<Service, "clock" | "connections" | "logger" | "queue" | "settings">;

/** Does what a job is about for some connections in a time. */
export type Act = (targets: readonly Target[], forMs: number) => Promise<Acted>;

export interface Acted {
  /** To be tried again. */
  readonly missed: readonly Target[];
  /** To be forgotten. */
  readonly gone: readonly Target[];
}

interface Run {
  readonly service: WorkService;
  readonly job: DirectJob | KickJob;
  readonly act: Act;
  readonly remainingMs: RemainingMs;
}

/**
 * Does a job for each of its recipients that is still there. Once this resolves it is done for all of them, or those left are part of a new job or a
 * dead letter that is safely kept. Throws `UnavailableError`: then the job must be done again, for some of them twice.
 */
export async function workThrough(
  service: WorkService,
  job: DirectJob | KickJob,
  act: Act,
  remainingMs: RemainingMs,
): Promise<void> {
  const run: Run = { service, job, act, remainingMs };
  if ("only" in job) return workThroughSome(run, job);
  let { cursor } = job;
  do {
    const at = cursor === undefined ? {} : { cursor };
    const page = await tryToRead(run, () =>
      service.connections.connectionsOf(job.app, job.user, { ...at, limit: RECIPIENTS_PAGE }),
    );
    if (page === undefined) {
      // What came through moves the cursor on; only a cursor that nothing gets past counts its attempts.
      return tryLater(service, { ...job, ...at }, cursor === job.cursor ? job.attempt : 0, {});
    }
    await actOn(run, page.connections, 0);
    cursor = page.cursor;
  } while (cursor !== undefined && remainingMs() >= PAGE_MS);
  if (cursor !== undefined) await service.queue.send([{ ...job, cursor, attempt: 1 }]);
}

/** Read anew: who has left meanwhile, or whose token has ended, is not meant any more. */
async function workThroughSome(run: Run, job: Extract<Run["job"], { only: unknown }>): Promise<void> {
  const { service } = run;
  const targets = await tryToRead(run, () => service.connections.getMany(job.app, job.only));
  if (targets === undefined) return tryLater(service, job, job.attempt, { count: job.only.length });
  await actOn(run, targets, job.attempt);
}

/** Undefined where the store is unavailable: failing the job for it would have it wait until the queue brings it again. */
async function tryToRead<T>({ service }: Run, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    service.logger.warn("Connections could not be read; the job goes on from there later.", { error });
    return undefined;
  }
}

/** `failed`: how often they were missed before, this time included. */
async function actOn({ service, job, act, remainingMs }: Run, targets: readonly Target[], failed: number) {
  const leftMs = () => Math.max(0, remainingMs() - HAND_ON_MS);
  const { missed, gone } = await act(targets, leftMs());
  if (missed.length > 0) {
    const rest = job.kind === "kick" ? { kind: job.kind, time: job.time } : { kind: job.kind, message: job.message };
    const only = missed.map(({ id }) => id);
    await tryLater(service, { ...rest, app: job.app, only, attempt: failed }, failed, { count: only.length });
  }
  await forgetGone(service, job, gone, leftMs());
}
