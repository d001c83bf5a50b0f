import { isUnavailable } from "../errors.ts";
import type { TickJob } from "../ports/fanout-queue.ts";
import type { TickMessage, TickPage } from "../ports/ticks.ts";
import { type PostTickService, postTick } from "./post-tick.ts";
import { tryLater } from "./try-later.ts";
import { aWakeUp, type WakeUpService } from "./wake-up.ts";
import { MAX_EPHEMERAL_WAIT_MS, type RemainingMs } from "./worker-time.ts";

export type TickService = PostTickService & WakeUpService;

/** Reads of a topic that always changes before it can come to its end, or its tick be taken. */
const MAX_READS = 5;

/**
 * Delivers a topic's tick: waits until it is over, takes all that is new since the last one, sees to it that another job follows, and posts one frame of it to each
 * subscriber. A topic in which nothing is new comes to its end: its next publisher wakes it again.
 *
 * Who takes a tick answers for it. The wake-up of the job that follows counts as sent from then on, because this job is not done before it has sent it and
 * delivered what it took: where it dies, the queue brings it again, and it does both again, for all that is numbered. What a job took lies behind the place that it
 * carries and is at most a page, so that it finds it then, whatever was handed out since.
 *
 * It is one job a topic, not one a shard: a large topic gets a fan-out of what it took, so that the log is read once.
 */
export async function deliverTick(service: TickService, job: TickJob, remainingMs: RemainingMs): Promise<void> {
  const waitMs = Math.min(job.dueAt - service.clock.now(), job.tickMs);
  if (waitMs > 0) await service.clock.sleep(waitMs);
  const progress = { mayHaveTaken: job.mayHaveTaken === true };
  try {
    await takeTick(service, job, remainingMs, progress);
  } catch (error) {
    // Where the queue is away, it brings this job again by itself.
    if (!isUnavailable(error) || error.part === "queue") throw error;
    const { topic } = job;
    service.logger.warn("A tick could not be delivered; its job is tried again.", { topic, error });
    await tryLater(service, { ...job, ...progress }, job.attempt, { topic });
  }
}

async function takeTick(
  service: TickService,
  job: TickJob,
  remainingMs: RemainingMs,
  progress: { mayHaveTaken: boolean },
): Promise<void> {
  const { log, queue, clock } = service;
  const { app, topic, from } = job;
  for (let reads = 0; reads < MAX_READS; reads++) {
    const page = await log.readTick(app, topic, from);
    // The topic was deleted, and with it all that this job was for.
    if (page === undefined) return;
    if (page.ticking?.wakeUp.id !== job.id)
      return progress.mayHaveTaken ? takeOver(service, job, page, remainingMs) : undefined;
    if (isIdle(page, job)) {
      if (await log.endTicks(app, topic, page)) return;
      continue;
    }
    const next = { ...aWakeUp(clock.now(), job.tickMs), dueAt: page.isFull ? clock.now() : nextDue(job, clock.now()) };
    progress.mayHaveTaken = true;
    if (!(await log.claimTick(app, topic, page, { ...next, isSent: true }))) {
      // Another job has it all, or the wake-up is the same and only now said to be sent: the next read tells.
      progress.mayHaveTaken = job.mayHaveTaken === true;
      continue;
    }
    const messages = [...page.numbered, ...newest(page.gathered, clock.now())];
    return both(queue.send([jobAfter(job, next, page.upTo)]), postTick(service, job, messages, remainingMs));
  }
  await queue.send([job]);
}

/** Whether nothing came since the last tick, not even a number that is void. */
function isIdle({ isAll, upTo, gathered }: TickPage, { from }: TickJob): boolean {
  return isAll && upTo.seq === from.seq && gathered.length === 0;
}

/** What this job took before it died, and the job that it may not have sent. What was gathered is lost: it is delivered once or never. */
async function takeOver(
  service: TickService,
  job: TickJob,
  { ticking, numbered }: TickPage,
  remainingMs: RemainingMs,
): Promise<void> {
  // It may well be there: then nothing comes of this one.
  const next = ticking === undefined ? [] : [jobAfter(job, ticking.wakeUp, ticking.place)];
  const sent = next.length > 0 ? service.queue.send(next) : Promise.resolve();
  await both(sent, postTick(service, job, numbered, remainingMs));
}

/** Neither waits for the other, nor hangs on it. */
async function both(one: Promise<void>, other: Promise<void>): Promise<void> {
  await Promise.allSettled([one, other]);
  await one;
  await other;
}

function jobAfter(job: TickJob, { id, dueAt }: { id: string; dueAt: number }, from: TickJob["from"]): TickJob {
  const { kind, app, topic, tickMs } = job;
  return { kind, app, topic, id, dueAt, tickMs, from, attempt: 1 };
}

/** The end of the tick that it is now; ticks follow one another as the job's own did, however late it runs. */
function nextDue({ dueAt, tickMs }: TickJob, now: number): number {
  return dueAt + tickMs * (Math.floor(Math.max(0, now - dueAt) / tickMs) + 1);
}

/** Of each sender's `latest` the newest, and nothing that is too old to be of use. */
function newest(gathered: readonly TickMessage[], now: number): TickMessage[] {
  const fresh = gathered.filter(({ message }) => now - message.time <= MAX_EPHEMERAL_WAIT_MS);
  const last = new Map<string, TickMessage>();
  for (const each of fresh) {
    const before = last.get(nameOf(each));
    if (before === undefined || before.message.time <= each.message.time) last.set(nameOf(each), each);
  }
  return fresh.filter((each) => each.latest === undefined || last.get(nameOf(each)) === each);
}

function nameOf({ latest, message }: TickMessage): string {
  return JSON.stringify([latest, message.from]);
}
