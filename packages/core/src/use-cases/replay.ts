import { encodeFrame, type Place } from "@topicast/protocol";
import { isUnavailable } from "../errors.ts";
import type { LoggedMessage } from "../model.ts";
import type { ReplayJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { ruleFor } from "../topic-rules.ts";
import { type PostService, postFrames } from "./post-fanout.ts";
import { delayAfter, HAND_ON_MS, PAGE_MS, type RemainingMs } from "./worker-time.ts";

export type ReplayService = PostService & Pick<Service, "log" | "queue" | "settings">;

/** Messages of a read; all of them are posted before the next. */
const PAGE_MESSAGES = 100;

interface Run {
  readonly service: ReplayService;
  readonly job: ReplayJob;
  readonly remainingMs: RemainingMs;
}

/**
 * Posts to one connection what its topic had after a place, oldest first, and then a `recovery` frame that says how it went. Once this resolves
 * the connection has it all, is gone, or the rest is a new job or dead letter that is safely kept. Throws `UnavailableError`: then the job must be
 * delivered again, and some will come twice.
 */
export async function replay(service: ReplayService, job: ReplayJob, remainingMs: RemainingMs): Promise<void> {
  const run: Run = { service, job, remainingMs };
  for (let since = job.since; ; ) {
    if (remainingMs() < PAGE_MS) return goOn(run, since);
    const page = await readPage(service, job, since);
    if (page === undefined) return retry(run, since);
    const { recovered, place } = page;
    const { reached, outcome } = await postAll(run, since, page.recovered ? page.messages : []);
    if (outcome === "gone") return;
    if (outcome === "missed") return retry(run, reached);
    if (!page.recovered || !page.more) {
      const last = await post(run, encodeFrame({ type: "recovery", ...place, recovered }));
      return last === "missed" ? retry(run, reached) : undefined;
    }
    since = reached;
  }
}

/** Undefined where the store is unavailable: failing the job for it would keep the client waiting until the queue brings it again. */
async function readPage({ log, logger, settings }: ReplayService, { app, topic }: ReplayJob, since: Place) {
  const { retention } = ruleFor(settings.rules, topic);
  try {
    return await log.readSince(app, topic, since, { limit: PAGE_MESSAGES, retention });
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    logger.warn("What a connection missed could not be read; the job goes on from there later.", { error });
    return undefined;
  }
}

/** Messages in turn, so that they keep their order as far as posts do. */
async function postAll(run: Run, since: Place, messages: readonly LoggedMessage[]) {
  const { service, job } = run;
  const { app, topic } = job;
  let reached = since;
  for (const message of messages) {
    const fanout = { kind: "messages", app, topic, epoch: since.epoch, messages: [message], echo: true } as const;
    for (const frame of service.envelope.frames(fanout)) {
      const outcome = await post(run, frame);
      if (outcome !== "delivered") return { reached, outcome };
    }
    reached = { epoch: since.epoch, seq: message.seq };
  }
  return { reached, outcome: "delivered" as const };
}

async function post({ service, job, remainingMs }: Run, frame: string): Promise<"delivered" | "missed" | "gone"> {
  const forMs = remainingMs() - HAND_ON_MS;
  if (forMs <= 0) return "missed";
  const { missed, gone } = await postFrames(service, [frame], [job.target], { forMs });
  if (missed.length > 0) return "missed";
  return gone.length > 0 ? "gone" : "delivered";
}

function goOn({ service, job }: Run, since: Place): Promise<void> {
  return service.queue.send([{ ...job, since, attempt: 1 }]);
}

/** What came through moves the place on; only a place that nothing gets past counts its attempts. */
async function retry({ service, job }: Run, since: Place): Promise<void> {
  const { queue, settings, logger } = service;
  const failed = since.seq > job.since.seq ? 0 : job.attempt;
  if (failed >= settings.maxAttempts) {
    logger.error("A connection could not be reached; what it missed is a dead letter.", {});
    await queue.deadLetter({ ...job, attempt: 1 }, `not reached in ${failed} attempts`);
    return;
  }
  await queue.send([{ ...job, since, attempt: failed + 1 }], { delaySeconds: delayAfter(Math.max(1, failed)) });
}
