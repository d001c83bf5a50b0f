import { encodeFrame, type Place } from "@topicast/protocol";
import { findRule } from "../applications.ts";
import { isUnavailable } from "../errors.ts";
import type { LoggedMessage } from "../model.ts";
import type { ReplayJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { APPLICATION_DELETED, TOKEN_EXPIRED, tryToEndConnection } from "./end-connection.ts";
import { isApplicationGone } from "./end-subscribers.ts";
import { type PostService, postFrames } from "./post-fanout.ts";
import { tryLater } from "./try-later.ts";
import { HAND_ON_MS, PAGE_MS, type RemainingMs } from "./worker-time.ts";

export type ReplayService = PostService & Pick<Service, "applications" | "log" | "queue" | "settings">;

/** Messages of a read; all of them are posted before the next, in two seconds where a post takes 20 ms. */
const PAGE_MESSAGES = 100;
/** A replay's share of an invocation, after which what is left goes behind the jobs that wait: what is live comes first. */
const SHARE_MS = 5_000;

interface Run {
  readonly service: ReplayService;
  readonly job: ReplayJob;
  readonly remainingMs: RemainingMs;
}

type Outcome = "delivered" | "missed" | "gone";

/**
 * Posts to one connection what its topic had between two places, oldest first, and then a `recovery` frame that says how it went. Once this resolves
 * the connection has it all, is gone, or the rest is a new job or dead letter that is safely kept. Throws `UnavailableError`: then the job must be
 * delivered again, and some will come twice.
 */
export async function replay(service: ReplayService, job: ReplayJob, remainingMs: RemainingMs): Promise<void> {
  const run: Run = { service, job, remainingMs };
  const { app, target, validUntil = Infinity } = job;
  if (await isApplicationGone(service, app)) return tryToEndConnection(service, app, target, APPLICATION_DELETED);
  const endsAt = service.clock.now() + SHARE_MS;
  for (let since = job.since; ; ) {
    if (service.clock.now() >= validUntil) return tryToEndConnection(service, app, target, TOKEN_EXPIRED);
    if (remainingMs() < PAGE_MS || service.clock.now() >= endsAt) return goOn(run, since);
    const page = await readPage(service, job, since);
    if (page === undefined) return retry(run, since);
    const { recovered, place } = page;
    const messages = page.recovered ? page.messages.filter(({ seq }) => seq <= job.until.seq) : [];
    const { reached, outcome } = await postAll(run, since, messages);
    if (outcome === "gone") return;
    if (outcome === "missed") return retry(run, reached);
    since = reached;
    // The last numbers up to there may be void, so that it ends where a page reaches beyond them.
    const last = page.recovered ? page.messages.at(-1)?.seq : undefined;
    if (page.recovered && page.more && last !== undefined && last < job.until.seq) continue;
    // Numbers that are still empty are written or void in two seconds.
    if (page.recovered && place.seq < job.until.seq) return retry(run, since);
    const frame = encodeFrame({ type: "recovery", ...(recovered ? job.until : place), recovered });
    return (await post(run, frame)) === "missed" ? retry(run, since) : undefined;
  }
}

/** Undefined where the store is unavailable: failing the job for it would keep the client waiting until the queue brings it again. */
async function readPage({ applications, log, logger }: ReplayService, { app, topic }: ReplayJob, since: Place) {
  try {
    const { retention } = await findRule(applications, app, topic);
    return await log.readSince(app, topic, since, { limit: PAGE_MESSAGES, retention });
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    logger.warn("What a connection missed could not be read; the job goes on from there later.", { error });
    return undefined;
  }
}

/** In turn, so that messages keep their order as far as posts do; up to the first that fails. */
async function postAll(run: Run, since: Place, messages: readonly LoggedMessage[]) {
  let reached = since;
  for (const message of messages) {
    const outcome = await postMessage(run, since.epoch, message);
    if (outcome !== "delivered") return { reached, outcome };
    reached = { epoch: since.epoch, seq: message.seq };
  }
  return { reached, outcome: "delivered" as const };
}

async function postMessage(run: Run, epoch: string, message: LoggedMessage): Promise<Outcome> {
  const { app, topic } = run.job;
  const fanout = { kind: "messages", app, topic, epoch, messages: [message], echo: true } as const;
  for (const frame of run.service.envelope.frames(fanout)) {
    const outcome = await post(run, frame);
    if (outcome !== "delivered") return outcome;
  }
  return "delivered";
}

/** Without time it isn't tried. */
async function post({ service, job, remainingMs }: Run, frame: string): Promise<Outcome> {
  const forMs = remainingMs() - HAND_ON_MS;
  if (forMs <= 0) return "missed";
  const { missed, gone } = await postFrames(service, [frame], [job.target], { forMs });
  if (missed.length > 0) return "missed";
  return gone.length > 0 ? "gone" : "delivered";
}

/** Out of time. Whoever got nowhere in it counts as having failed, so that no job goes round for ever. */
function goOn(run: Run, since: Place): Promise<void> {
  const { service, job } = run;
  return isBeyond(since, job) ? service.queue.send([{ ...job, since, attempt: 1 }]) : retry(run, since);
}

/** What came through moves the place on; only a place that nothing gets past counts its attempts. */
function retry({ service, job }: Run, since: Place): Promise<void> {
  const { topic, target } = job;
  const failed = isBeyond(since, job) ? 0 : job.attempt;
  return tryLater(service, { ...job, since }, failed, { topic, connectionId: target.id });
}

function isBeyond(since: Place, job: ReplayJob): boolean {
  return since.seq > job.since.seq;
}
